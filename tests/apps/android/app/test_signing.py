"""Keys that apps are signed with."""

from pathlib import Path

import pytest

from apps.android import signing
from apps.android.apk import Jars
from data.errors import ConfigError


def test_a_key_is_made_once_and_kept_for_its_owner_alone(jars: Jars, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    key = signing.find({}, folder)
    assert len(key.password) >= 32 and key.password not in repr(key)
    assert (folder / "key.password").stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0
    content = key.path.read_bytes()
    assert signing.find({}, folder) == key
    assert key.path.read_bytes() == content


def test_own_keystore_needs_its_password_in_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "own.p12"
    with pytest.raises(ConfigError, match=r"own\.p12: there is no such file; give a keystore"):
        signing.find({"ANDROID_KEYSTORE": str(path)})
    path.touch()
    with pytest.raises(ConfigError, match="ANDROID_KEYSTORE_PASSWORD is not set"):
        signing.find({"ANDROID_KEYSTORE": str(path)})
    given = {"ANDROID_KEYSTORE": str(path), "ANDROID_KEYSTORE_PASSWORD": "secret"}
    assert signing.find(given) == signing.Key(path, "secret")
