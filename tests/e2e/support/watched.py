"""What a run asked of the system: every program that it started and every socket, by strace."""

import dataclasses
import re
import shutil
import socket
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

_CALLS = "execve,execveat,bind,listen,connect,sendto,sendmsg,sendmmsg"
_SUCCEEDED = re.compile(r"^\d+ +(\w+)\((.*)\) += 0$")
_ADDRESS = re.compile(
    r"sa_family=AF_(?P<family>INET6?), sin6?_port=htons\((?P<port>\d+)\).*?"
    r'(?:inet_addr\(|inet_pton\(AF_INET6, )"(?P<host>[^"]+)"'
)
_DNS_PORT = 53


@dataclasses.dataclass(frozen=True)
class Trace:
    """What strace wrote of a process and all that it started."""

    calls: list[tuple[str, str]]  # name and arguments, of those that did not fail

    @property
    def programs(self) -> set[str]:
        """The programs that were started."""
        return {arguments.split('"')[1] for name, arguments in self.calls if "exec" in name}

    def addresses(self, call: str) -> set[tuple[str, int]]:
        """Hosts and ports that the call was made with, of the Internet's families."""
        found = {_ADDRESS.search(arguments) for name, arguments in self.calls if name == call}
        return {(match["host"], int(match["port"])) for match in found if match}

    def count(self, call: str) -> int:
        """How often the call was made."""
        return sum(name == call for name, _ in self.calls)

    @property
    def name_lookups(self) -> set[tuple[str, int]]:
        """The servers of names that were asked."""
        return {address for address in self.addresses("connect") if address[1] == _DNS_PORT}


def strace_command(file: Path) -> list[str]:
    """Returns what to put before a command to have it traced into the file; [] without strace."""
    if not (program := shutil.which("strace")):
        return []
    return [
        program,
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-s",
        "256",
        f"--trace={_CALLS}",
        "-o",
        str(file),
    ]


def read_trace(file: Path) -> Trace:
    """Reads what strace wrote."""
    # A call that another thread's interrupts is in two lines.
    begun: dict[str, str] = {}
    calls = []
    for line in file.read_text(errors="replace").splitlines():
        process, _, rest = line.partition(" ")
        if rest.endswith("<unfinished ...>"):
            begun[process] = rest.removesuffix("<unfinished ...>").rstrip()
            continue
        if resumed := re.match(r" *<\.\.\. \w+ resumed>(.*)", rest):
            rest = begun.pop(process, "") + resumed[1]
        if match := _SUCCEEDED.match(f"{process} {rest.strip()}"):
            calls.append((match[1], match[2]))
    return Trace(calls)


def poison(home: Path, mark: Path) -> None:
    """Lays into a home what libraries would look for there.

    That is programs in Beam's cache for downloaded engines, which write `mark` if one is run, and
    settings of Keras that nobody could use.
    """
    (home / ".keras").mkdir()
    (home / ".keras" / "keras.json").write_text('{"backend": "poisoned", "floatx": "float64"}')
    cache = home / ".apache_beam" / "cache" / "prism" / "bin"
    cache.mkdir(parents=True)
    script = f"#!/bin/sh\ntouch {mark}\n"
    prefix = f"apache_beam-v{metadata.version('apache-beam')}-prism"
    for system in ("linux-amd64", "linux-arm64", "darwin-arm64"):
        name = f"{prefix}-{system}"
        (cache / name).write_text(script)
        (cache / name).chmod(0o755)
        with zipfile.ZipFile(cache / f"{name}.zip", "w") as archive:
            archive.writestr(name, script)


@contextmanager
def mute_proxy() -> Iterator[dict[str, str]]:
    """Yields the environment of a machine whose proxy takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        names = ("http_proxy", "https_proxy", "all_proxy")
        yield {spelled: address for name in names for spelled in (name, name.upper())}
