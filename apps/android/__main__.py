"""`python -m apps.android`: builds the app with what was pushed, signs it and checks it."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from apps.android import apk, contents, signing, tools
from apps.android.apk import Jars
from apps.android.contents import Contents
from apps.android.signing import Key
from data.errors import disk_errors
from data.files import file_sha256
from data.texts import check_texts
from pipeline.running.exit_status import tells_wrong_settings

_SETTINGS = ("OUTPUT", "DATASET", "PUSH_TO", "IMAGE_SIZE", "ANDROID_KEYSTORE")
_FOLDER, _NAME = "android", "mnist.apk"
_WIDEST = 10_000  # columns, of which a table takes what it needs


@tells_wrong_settings
def main() -> int:
    """Builds OUTPUT/android/mnist.apk and says what is in it."""
    check_texts(os.environ, _SETTINGS)
    tools.check()
    found = contents.find(os.environ)
    key, jars = signing.find(os.environ), Jars.fetch()
    target = found.output / _FOLDER / _NAME
    with disk_errors("write", target):
        target.parent.mkdir(parents=True, exist_ok=True)
    sizes, said = build(found, jars, key, target)
    _show(found, sizes, target, said)
    return 0


def build(found: Contents, jars: Jars, key: Key, target: Path) -> tuple[dict[str, int], str]:
    """Makes a signed app, which takes the place of an older one when it is whole.

    Beside it are its assets, which a build by Gradle needs, too.

    Returns:
      How many bytes each asset takes in it, and what apksigner says of it.

    Raises:
      DataError: a program refuses something, or the disk.
    """
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as name:
        folder = Path(name)
        (folder / "assets").mkdir()
        sizes = contents.write_assets(found, folder / "assets")
        compiled = apk.compile_app(jars, folder / "compiled")
        apk.build(jars, compiled, folder / "assets", folder / _NAME)
        said = signing.sign(folder / _NAME, key)
        os.replace(folder / _NAME, target)
        kept = target.parent / "assets"
        shutil.rmtree(kept, ignore_errors=True)
        (folder / "assets").rename(kept)
    return sizes, said


def _show(found: Contents, sizes: dict[str, int], target: Path, said: str) -> None:
    table = Table(box=box.SIMPLE, padding=(0, 1), pad_edge=False, collapse_padding=True)
    table.add_column("in the app")
    for column in ("bytes", "packed"):
        table.add_column(column, justify="right")
    for name, path in found.paths().items():
        table.add_row(name, f"{path.stat().st_size:,}", f"{sizes[name]:,}")
    console = Console(width=_WIDEST, highlight=False)
    console.print(table)
    if not found.personal:
        console.print("nothing can be taught: `make personalize` makes a model that can")
    certificate = next(line for line in said.splitlines() if "certificate SHA-256" in line)
    console.print(f"{target}", markup=False)
    console.print(
        f"{target.stat().st_size:,} bytes, for {' and '.join(apk.ABIS)}, Android 7 and newer\n"
        f"SHA-256 {file_sha256(target)}\n"
        f"signed by a certificate with SHA-256 {certificate.split()[-1]}, and verified\n"
        "TFLite's library is made for memory pages of 4 KB, and not for phones with 16 KB"
    )


if __name__ == "__main__":
    sys.exit(main())
