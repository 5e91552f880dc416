"""The model server under load on loopback, and a version that is pushed meanwhile.

First requests a second, by REST and gRPC, from 1, 8 and 32 clients that each send one image after
the other, with batching and without; the two servers take turns, and figures are medians over the
rounds. Then 10,000 requests by both protocols with a version pushed in the middle: each answer
names its version and has to be that version's. The peer gets the same requests in the same run:
the same runtime in mlserver itself, which is told to load the new version. Last the time from a
kill to the first answer. Clients and servers share the machine. Takes three to four minutes; writes
output/bench/serving.json.
"""

import asyncio
import contextlib
import itertools
import json
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks.peers.serving_clients import GRPC, REST, Address, Load, Reply, run_clients
from benchmarks.peers.serving_peer import serving_by_mlserver
from data.files import PROJECT_ROOT
from modules.export import saved_model
from modules.export.trained import Trained
from tests.support.digit_models import DigitModels
from tests.support.serving import Server, push

OUTPUT = PROJECT_ROOT / "output" / "bench" / "serving.json"
NAME = "digits"
_CLIENTS = (1, 8, 32)
_ROUNDS, _SECONDS_A_TURN = 5, 1.2
_BATCHING = {"on": {}, "off": {"MAX_BATCH": "1"}}
_REQUESTS, _PUSH_AT = 10_000, 5_000
_CLIENTS_OF_PUSH = [REST, GRPC] * 8
_NUM_IMAGES = 100
_TOLERANCE = 1e-3  # of logits up to some tens, which depend on the batch


class Models:
    """Two versions of a network, which give different logits, and images."""

    def __init__(self, folder: Path):
        digits = DigitModels(folder)
        trained = digits.trained
        halved = jax.tree.map(lambda leaf: leaf * 0.5, trained.variables)
        self.folders = [folder / "first", folder / "second"]
        for path, variables in zip(self.folders, (trained.variables, halved), strict=True):
            saved_model.save_saved_model(
                Trained(trained.network, variables, trained.tft_output), str(path)
            )
        self.images = digits.images[:_NUM_IMAGES]
        self.logits = [
            saved_model.load_saved_model(str(path))(self.images) for path in self.folders
        ]
        apart = np.abs(self.logits[0] - self.logits[1]).max(axis=1)
        assert apart.min() > 10 * _TOLERANCE, "an answer would not tell its version"


def measure_throughput(models: Models, folder: Path) -> list[dict[str, Any]]:
    """Returns a row for each protocol, number of clients, and batching."""
    with contextlib.ExitStack() as stack:
        servers = {
            batching: stack.enter_context(_served(models, folder / batching, settings))
            for batching, settings in _BATCHING.items()
        }
        cells = list(itertools.product((REST, GRPC), _CLIENTS, servers))
        loads: dict[tuple[str, int, str], list[Load]] = {cell: [] for cell in cells}
        for _ in range(_ROUNDS):
            for protocol, clients, batching in cells:
                end = time.perf_counter() + _SECONDS_A_TURN
                numbers = itertools.takewhile(
                    lambda _, end=end: time.perf_counter() < end, itertools.count()
                )
                load = asyncio.run(
                    run_clients(_address(servers[batching], models), [protocol] * clients, numbers)
                )
                loads[protocol, clients, batching].append(load)
    rows = []
    for (protocol, clients, batching), turns in loads.items():
        summaries = [load.summary() for load in turns]
        figures = {
            name: round(float(np.median([summary[name] for summary in summaries])), 2)
            for name in summaries[0]
        }
        figures["failures"] = sum(summary["failures"] for summary in summaries)
        rows.append({"protocol": protocol, "clients": clients, "batching": batching} | figures)
    return rows


def push_under_load(models: Models, folder: Path) -> dict[str, Any]:
    """Returns what became of the requests, and seconds from a kill to the next answer."""
    with _served(models, folder, {}) as server:
        names = [server.get(f"/v2/models/{NAME}").content["versions"][0]]
        load = _load_with(
            _address(server, models),
            lambda: names.append(push(models.folders[1], folder / "serving")),
        )
        server.kill()
        start = time.perf_counter()
        server.start()
        server.wait_for(names[1])
        seconds = time.perf_counter() - start
    return _judged(load, models, names) | {"seconds_from_kill_to_answer": round(seconds, 1)}


def push_to_mlserver(models: Models, folder: Path) -> dict[str, Any]:
    """Returns the same of mlserver, which is told to load the version."""
    with serving_by_mlserver(NAME, models.folders, folder) as (ports, load_second):
        address = Address(ports["http"], ports["grpc"], NAME, models.images)
        load = _load_with(address, load_second)
    return _judged(load, models, ["1", "2"])


@contextlib.contextmanager
def _served(models: Models, folder: Path, settings: dict[str, str]) -> Iterator[Server]:
    folder.mkdir(parents=True)
    first = push(models.folders[0], folder / "serving")
    server = Server(folder, settings, NAME)
    try:
        server.start()
        server.wait_for(first)
        yield server
    finally:
        server.kill()


def _address(server: Server, models: Models) -> Address:
    return Address(server.port, server.grpc_port, NAME, models.images)


def _load_with(address: Address, push_now: Callable[[], Any]) -> Load:
    """Returns what the requests got; in the middle of them, `push_now` runs in a thread."""
    pushing = threading.Thread(target=push_now)

    def on_number(number: int) -> None:
        if number == _PUSH_AT:
            pushing.start()

    numbers = iter(range(_REQUESTS))
    load = asyncio.run(run_clients(address, _CLIENTS_OF_PUSH, numbers, True, on_number))
    pushing.join()
    return load


def _judged(load: Load, models: Models, names: list[str]) -> dict[str, Any]:
    """Returns how many requests were answered, and how many rightly; `names` are the versions'."""

    def is_right(number: int, reply: Reply) -> bool:
        if reply.version not in names:
            return False
        expected = models.logits[names.index(reply.version)][number % len(models.images)]
        return reply.logits.shape == expected.shape and bool(
            np.abs(reply.logits - expected).max() < _TOLERANCE
        )

    by_version = Counter(reply.version for reply in load.replies.values())
    return load.summary() | {
        "requests": _REQUESTS,
        "answered": len(load.replies),
        "wrong": sum(not is_right(*one) for one in load.replies.items()),
        "by_first_version": by_version[names[0]],
        "by_second_version": by_version[names[1]],
        "reasons": dict(load.failures),
        "longest_ms": round(max(load.seconds) * 1e3, 1),
    }


def main() -> None:
    """Measures everything, prints it and writes the JSON file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = Models(folder)
        result = {
            "cores": os.cpu_count(),
            "throughput": measure_throughput(models, folder / "throughput"),
            "push": push_under_load(models, folder / "push"),
            "push_to_mlserver": push_to_mlserver(models, folder / "mlserver"),
            "versions": {"tensorflow": version("tensorflow"), "grpcio": version("grpcio")},
        }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{'':<6} {'clients':>7} {'batching':>8} {'requests/s':>11} {'p50 ms':>8} {'p99 ms':>8}")
    for row in result["throughput"]:
        print(
            f"{row['protocol']:<6} {row['clients']:>7} {row['batching']:>8} "
            f"{row['requests_per_second']:>11,.0f} {row['p50_ms']:>8.2f} {row['p99_ms']:>8.2f}"
        )
    for whose, key in (("ours", "push"), ("mlserver's own load", "push_to_mlserver")):
        row = result[key]
        print(
            f"{whose}: of {row['requests']:,} requests with a version in the middle, "
            f"{row['failures']:,} failed and {row['wrong']:,} were wrong; the longest took "
            f"{row['longest_ms']:,.0f} ms {row['reasons'] or ''}"
        )
    print(f"{result['push']['seconds_from_kill_to_answer']} s from a kill to the first answer")
    print(f"written to {OUTPUT}")


if __name__ == "__main__":
    main()
