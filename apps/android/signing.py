"""The key that an app is signed with: the user's own, or one that is made once and kept."""

import dataclasses
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from apps.android import tools
from data.errors import ConfigError, disk_errors
from data.files import PROJECT_ROOT

KEYS = PROJECT_ROOT / ".android"  # git ignores it
_SETTING, _PASSWORD = "ANDROID_KEYSTORE", "ANDROID_KEYSTORE_PASSWORD"
_DAYS = "10950"  # thirty years: an update needs the key of the first version


@dataclasses.dataclass(frozen=True)
class Key:
    """A keystore with one key.

    Attributes:
      path: of the keystore.
      password: of keystore and key.
    """

    path: Path
    password: str = dataclasses.field(repr=False)

    @property
    def secrets(self) -> dict[str, str]:
        """What a program needs in its environment to open it by `env:` and this name."""
        return {_PASSWORD: self.password}


def find(environment: Mapping[str, str], folder: Path = KEYS) -> Key:
    """Returns the key of ANDROID_KEYSTORE, or the one in `folder`, which is made if need be.

    Raises:
      ConfigError: the setting names no file, or its password is not given.
      DataError: no key can be made or kept.
    """
    given = environment.get(_SETTING) or ""
    if not given:
        return _kept(folder)
    path = Path(given).expanduser()
    if not path.is_file():
        raise ConfigError(
            f"{_SETTING}={given}: there is no such file; give a keystore of keytool's with one "
            "key, or nothing for a key of this project's own"
        )
    password = environment.get(_PASSWORD) or ""
    if not password:
        raise ConfigError(
            f"{_PASSWORD} is not set: give the password of {given} in the environment, and not on "
            "a command line, where others see it"
        )
    return Key(path, password)


def sign(apk: Path, key: Key) -> str:
    """Signs an aligned APK in its place, and checks it; returns what apksigner says of it.

    Raises:
      DataError: the keystore cannot be opened, or the check fails.
    """
    opened = ("--ks", key.path, "--ks-pass", f"env:{_PASSWORD}")
    # Android before 7 wants v1; v4 is a file beside the APK, for adb's incremental installs.
    schemes = ("--v1-signing-enabled", "false", "--v4-signing-enabled", "false")
    tools.run(("apksigner", "sign", *opened, *schemes, apk), secrets=key.secrets)
    return tools.run(("apksigner", "verify", "--verbose", "--print-certs", apk))


def _kept(folder: Path) -> Key:
    store, password_file = folder / "key.p12", folder / "key.password"
    with disk_errors("keep the signing key in", folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if store.is_file() and password_file.is_file():
            return Key(store, password_file.read_text())
        password = secrets.token_hex(24)
        descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(password)
        store.unlink(missing_ok=True)
    key = Key(store, password)
    made = folder / "new.p12"
    made.unlink(missing_ok=True)
    names = ("-alias", "app", "-dname", "CN=mnist-jax, O=self-signed", "-validity", _DAYS)
    kind = ("-keyalg", "EC", "-groupname", "secp256r1", "-storetype", "PKCS12")
    opened = ("-keystore", made, "-storepass:env", _PASSWORD)
    tools.run(("keytool", "-genkeypair", *kind, *names, *opened), secrets=key.secrets)
    os.replace(made, store)
    return key
