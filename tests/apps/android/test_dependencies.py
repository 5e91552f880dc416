"""Files of Maven Central: those of the lock and no others, whole or not at all."""

import hashlib
import re
from pathlib import Path

import pytest

from apps.android import dependencies
from data.errors import ConfigError

CONTENT = b"of a jar"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock of four files, one of them for two uses."""
    path = tmp_path / "maven.lock"
    path.write_text(
        f"# a remark\njvm g.a:one:1 {DIGEST}  # why\n\njvm g.a:two:2:aar {DIGEST}\n"
        f"test g.b:three:3:jar:linux-x86_64 {DIGEST}\ntest g.a:one:1 {DIGEST}\n"
    )
    return path


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Maven that makes what a project wants copied, and writes down how often it is called."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "mvn"
    program.write_text(
        f"""#!/usr/bin/env python3
import pathlib, re, sys
[project] = [pathlib.Path(each[7:]) for each in sys.argv if each.startswith("--file=")]
text = project.read_text()
folder = pathlib.Path(re.search("<outputDirectory>(.*)</outputDirectory>", text)[1])
for item in re.findall("<artifactItem>(.*?)</artifactItem>", text):
    found = dict(re.findall("<(\\\\w+)>(.*?)</", item))
    end = "-" + found["classifier"] if found["classifier"] else ""
    name = "%s-%s%s.%s" % (found["artifactId"], found["version"], end, found["type"])
    (folder / name).write_bytes({CONTENT!r})
with open({str(tmp_path / "calls")!r}, "a") as file:
    print(" ".join(sys.argv[1:]), file=file)
"""
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return tmp_path / "calls"


def test_coordinates_are_mavens() -> None:
    found = {each.file_name: each for each in dependencies.read_lock()}
    native = found["tensorflow-lite-2.20.0-1.5.13-linux-x86_64.jar"]
    assert (native.use, native.group, native.type) == ("jvm", "org.bytedeco", "jar")
    assert found["tensorflow-lite-2.20.0-1.5.13.jar"].classifier == ""
    assert all(re.fullmatch("[0-9a-f]{64}", each.sha256) for each in found.values())


def test_what_is_missing_is_taken_by_one_call(tmp_path: Path, lock: Path, maven: Path) -> None:
    folder = tmp_path / "jars"
    one, two, three = (
        folder / name for name in ("one-1.jar", "two-2.aar", "three-3-linux-x86_64.jar")
    )
    assert dependencies.files("jvm", "test", folder=folder, lock=lock) == [one, two, three]
    assert dependencies.fetch("jvm", folder=folder, lock=lock) == [one, two]
    assert two.read_bytes() == CONTENT and not three.exists()
    assert dependencies.fetch("test", folder=folder, lock=lock) == [three, one]
    assert dependencies.fetch("jvm", "test", folder=folder, lock=lock) == [one, two, three]
    assert len(maven.read_text().splitlines()) == 2
    assert sorted(folder.iterdir()) == sorted([one, two, three])


def test_another_file_than_that_of_the_lock_is_refused(
    tmp_path: Path, lock: Path, maven: Path
) -> None:
    lock.write_text(lock.read_text().replace(DIGEST, "0" * 64, 1))
    with pytest.raises(ConfigError, match=f"^one-1.jar: Maven got a file with SHA-256 {DIGEST}, e"):
        dependencies.fetch("jvm", folder=tmp_path / "jars", lock=lock)
    assert not list((tmp_path / "jars").iterdir())


def test_a_failure_of_maven_is_told(
    tmp_path: Path, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "mvn"
    program.write_text("#!/bin/sh\necho '[ERROR] no such file'\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"^Maven cannot get one-1.jar, two-2.aar: no such file$"):
        dependencies.fetch("jvm", folder=tmp_path / "jars", lock=lock)
    assert not list((tmp_path / "jars").iterdir())
    program.unlink()
    with pytest.raises(ConfigError, match=r"^one-1.jar: there is no Maven to take it with \("):
        dependencies.fetch("jvm", folder=tmp_path / "jars", lock=lock)


@pytest.mark.parametrize("line", ["jvm g:a:1", f"jvm g:a {DIGEST}", "jvm g:a:1 abc"])
def test_a_line_of_another_form_is_told(lock: Path, line: str) -> None:
    lock.write_text(f"{lock.read_text()}{line}\n")
    with pytest.raises(ConfigError, match=r"maven.lock, line 7: expected a use, group:artifact:"):
        dependencies.read_lock(lock)
