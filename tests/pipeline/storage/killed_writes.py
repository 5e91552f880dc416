"""Writes and removes versions in children that are killed before each file operation, in turn.

python -m tests.pipeline.storage.killed_writes FOLDER [STEP]: a path or a URI, not there yet, and
how many operations further each is killed than the one before. It checks what readers take after
each kill, and what is there after the push that follows. It forks before the libraries of object
stores have made their threads.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.storage import store_copies, stores, version_writer, versions
from tests.support.forks import forked, wait

NAMES = ("a/b/deep", "float32.tflite", "saved_model.pb")
FOREIGN = f"{version_writer.ASIDE}{'f' * 16}"  # another push, at work
_ON_DISK = ("open", "os.", "shutil.")  # names of events in CPython's audit, or how they start
_IN_STORE = (
    (store_copies, "upload"),
    *((stores, name) for name in ("write_text", "remove", "find", "read_text")),
)


def kill_at(number: int, folder: str) -> None:
    """Kills this process before its file operation of that number, counted from 1."""
    left = number

    def count() -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    if on_disk := stores.local_path(folder):
        place = os.fspath(on_disk)

        def audit(event: str, arguments: tuple[Any, ...]) -> None:
            if event.startswith(_ON_DISK) and any(place in str(each) for each in arguments):
                count()

        sys.addaudithook(audit)
        return
    for module, name in _IN_STORE:
        setattr(module, name, _counted(getattr(module, name), count))


def _counted(whole: Callable[..., Any], count: Callable[[], None]) -> Callable[..., Any]:
    def counted(*arguments: Any) -> Any:
        count()
        result = whole(*arguments)
        count()
        return result

    return counted


def made_model(folder: Path, text: str) -> dict[str, Path]:
    """Returns a model's files by their names in a version."""
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{name} {text}\n" * 500)
    return {name: folder / name for name in NAMES}


def there(folder: str) -> set[str]:
    """Returns the paths of all files in the folder, foreign ones left out."""
    on_disk = stores.local_path(folder)
    if on_disk is None:
        found = set(stores.find(folder))
    else:
        found = {str(path.relative_to(on_disk)) for path in on_disk.rglob("*") if path.is_file()}
    return {path for path in found if FOREIGN not in path}


def read_all(folder: str) -> list[str]:
    """Returns the text of each model that a reader takes; they are whole."""
    texts = []
    for version in sorted(versions.files(folder), key=int):
        path = versions.join(folder, version)
        if versions.is_whole(path):
            contents = {name: stores.read_text(versions.join(path, name)) for name in NAMES}
            text = contents[NAMES[0]].splitlines()[0].removeprefix(f"{NAMES[0]} ")
            assert contents == {name: f"{name} {text}\n" * 500 for name in NAMES}
            texts.append(text)
    assert bool(texts) == bool(versions.newest(folder))
    if on_disk := stores.local_path(folder):  # where readers need not know of the record
        assert len(texts) == sum(map(versions.is_version, os.listdir(on_disk)))
    return texts


def main(folder: str, step: int) -> None:
    """Kills pushes, and removals after as many operations, until a push is through."""
    with tempfile.TemporaryDirectory() as scratch:
        model = made_model(Path(scratch), "ours")

        def push(push_id: str) -> None:
            version_writer.push(model, folder, push_id, "ours")

        def prepare() -> None:
            stores.write_text(versions.join(folder, FOREIGN, "half"), "a push of others\n")

        def kill_push(number: int) -> None:
            kill_at(number, folder)
            push(f"{number:016x}")

        def push_again(number: int) -> None:
            assert read_all(folder) in ([], ["ours"])
            for path in version_writer.leftovers(folder, {f"{number:016x}"}):
                version_writer.remove(path)
            push(f"{number:015x}a")
            assert read_all(folder) == ["ours"]
            [version] = versions.files(folder)
            assert there(folder) == {f"{version}/{name}" for name in (*NAMES, versions.RECORD)}

        def kill_remove(number: int) -> None:
            kill_at(number, folder)
            version_writer.remove(versions.newest(folder) or "")

        def remove_again(number: int) -> None:
            assert read_all(folder) in ([], ["ours"])
            for path in version_writer.leftovers(folder, {f"{number:015x}a"}):
                version_writer.remove(path)
            if version := versions.newest(folder):
                version_writer.remove(version)
            assert there(folder) == set()
            for path in (FOREIGN, f"{FOREIGN}/half")[stores.local_path(folder) is None :]:
                file_system, place = stores.opened(versions.join(folder, path))
                assert file_system.exists(place)

        # In a child, too: no thread of a store's library may be there when the next is forked.
        assert wait(forked(prepare)) == 0
        number, status, kills = 0, -1, -1
        while status:  # a push takes more operations than a removal
            number, kills = number + step, kills + 1
            status = wait(forked(partial(kill_push, number)))
            assert status in (0, -signal.SIGKILL), number
            assert wait(forked(partial(push_again, number))) == 0, number
            assert wait(forked(partial(kill_remove, number))) in (0, -signal.SIGKILL), number
            assert wait(forked(partial(remove_again, number))) == 0, number
        print(f"{kills} kills")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1)
