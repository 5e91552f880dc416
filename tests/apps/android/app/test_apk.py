"""The APK: what it asks for, what is in it, and that it is made the same each time."""

import hashlib
import json
import os
import re
from pathlib import Path

import pytest

from apps.android import apk, archive, contents, dependencies, signing, tools
from apps.android.apk import Compiled, Jars
from data.errors import ConfigError, DataError
from data.files import file_sha256
from tests.apps.android.app.conftest import App
from tests.apps.android.app.test_deltas import applied

_MB = 1_000_000


@pytest.fixture(scope="module")
def badging(app: App) -> str:
    """What the system would read of it."""
    return tools.run(("aapt", "dump", "badging", app.path))


def test_it_is_signed_by_the_newer_schemes(app: App) -> None:
    said = tools.run(("apksigner", "verify", "--verbose", "--print-certs", app.path))
    assert said.startswith("Verifies\n")
    for scheme in ("v2 scheme (APK Signature Scheme v2)", "v3 scheme (APK Signature Scheme v3)"):
        assert f"Verified using {scheme}: true" in said
    digest = re.search(r"certificate SHA-256 digest: (\w{64})", said)[1]
    assert f"signed by a certificate with SHA-256 {digest}, and verified" in app.said


def test_the_command_says_what_is_in_it(app: App) -> None:
    for name, path in app.contents.paths().items():
        assert re.search(rf"{name} +{path.stat().st_size:,} +[\d,]+", app.said), name
    assert f"{app.path}\n{app.path.stat().st_size:,} bytes" in app.said
    assert f"SHA-256 {file_sha256(app.path)}\n" in app.said
    assert app.key.password not in app.said
    assert sorted(path.name for path in app.path.parent.iterdir()) == ["assets", "mnist.apk"]


def test_it_asks_for_no_permission(app: App, badging: str) -> None:
    assert "uses-permission" not in badging
    assert "INTERNET" not in tools.run(("aapt", "dump", "permissions", app.path))
    assert "uses-feature-not-required: name='android.hardware.camera'" in badging


def test_only_the_first_screen_is_for_other_apps(app: App) -> None:
    tree = tools.run(("aapt", "dump", "xmltree", app.path, "AndroidManifest.xml"))
    parts = re.split(r"\n\s*E: (?=activity|provider|service|receiver)", tree)[1:]
    exported = {
        re.search(r'android:name\(.*?\)="(\S+)"', part)[1]: re.search(
            r"android:exported\(.*?\)=\(type 0x12\)(0x\w+)", part
        )[1]
        for part in parts
    }
    assert exported == {
        ".LookActivity": "0xffffffff",
        ".TeachActivity": "0x0",
        ".StateProvider": "0x0",
    }
    assert re.search(r"android:allowBackup\(.*?\)=\(type 0x12\)0x0", tree)


def test_two_kinds_of_processors_are_in_it_and_it_is_small(app: App, badging: str) -> None:
    assert re.search(r"native-code: 'arm64-v8a' 'x86_64'", badging)
    assert "sdkVersion:'24'" in badging
    assert app.path.stat().st_size <= 8 * _MB
    libraries = archive.members(app.path)
    aar = archive.members(dependencies.files("app")[-1])
    for abi in apk.ABIS:
        name = "libtensorflowlite_jni.so"
        assert libraries[f"lib/{abi}/{name}"] == aar[f"jni/{abi}/{name}"]


def test_its_models_are_those_that_were_pushed(app: App) -> None:
    members = archive.members(app.path)
    start = "assets/"
    assets = {
        name.removeprefix(start): data for name, data in members.items() if name.startswith(start)
    }
    said = json.loads(assets["device/model.json"])
    digests = {f"device/{model['file']}": model["sha256"] for model in said["models"]}
    personal = json.loads(assets["personal/personal.json"])
    digests[f"personal/{personal['file']}"] = personal["sha256"]
    assert len(digests) == 6
    for name, sha256 in digests.items():
        delta = assets.get(name + contents.DELTA)
        content = applied(delta, assets) if delta else assets[name]
        assert hashlib.sha256(content).hexdigest() == sha256, name


def test_the_same_inputs_make_the_same_app(
    app: App, jars: Jars, compiled: Compiled, tmp_path: Path
) -> None:
    """It was compiled and packed by other calls. Only its signature is never the same."""
    (tmp_path / "assets").mkdir()
    contents.write_assets(app.contents, tmp_path / "assets")
    apk.build(jars, compiled, tmp_path / "assets", tmp_path / "again.apk")
    again = archive.members(tmp_path / "again.apk")
    members = archive.members(app.path)
    assert list(again) == list(members)
    assert [name for name in again if again[name] != members[name]] == []


def test_an_archive_is_the_same_whenever_it_is_made(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content" * 100)
    files = {"b": b"x", "resources.arsc": b"y" * 1000, "a/c": path}
    archive.write(tmp_path / "1.zip", files)
    os.utime(path, (0, 2_000_000_000))
    path.chmod(0o600)
    archive.write(tmp_path / "2.zip", dict(reversed(files.items())))
    first = (tmp_path / "1.zip").read_bytes()
    assert first == (tmp_path / "2.zip").read_bytes()
    assert b"y" * 1000 in first  # the system reads it in place
    assert archive.members(tmp_path / "1.zip")["a/c"] == b"content" * 100


def test_a_missing_program_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigError, match="aapt, .*`apt install aapt zipalign apksigner openjdk"):
        tools.check()


def test_a_program_that_fails_is_told_with_what_it_says(jars: Jars, tmp_path: Path) -> None:
    path = tmp_path / "no.apk"
    path.write_bytes(b"this is no archive")
    with pytest.raises(DataError, match=r"(?s)apksigner failed with status \d+:.*"):
        signing.sign(path, signing.find({}, tmp_path / "keys"))
