"""What is saved is what is restored, and never anything else, however damaged it is."""

import dataclasses
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modules.training.saved import checkpoints


@dataclasses.dataclass(frozen=True)
class Metrics:
    epoch: int
    loss: float


def state_of(epoch: int) -> dict:
    random = np.random.default_rng(epoch)
    kernel = random.normal(size=(30, 70)).astype(np.float32)
    return {"step": np.int32(epoch), "params": {"kernel": kernel, "bias": kernel[0] * 2}}


def history_of(epoch: int) -> list[Metrics]:
    return [Metrics(past, 1 / (past + 2)) for past in range(1, epoch + 1)]


LIKE = jax.tree.map(np.zeros_like, state_of(0))


@pytest.fixture(scope="module")
def three_epochs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the checkpoints "ours", after three epochs, and "others", after one."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for key, epochs in (("ours", 3), ("others", 1)):
        saved = checkpoints.Checkpoints(folder, key)
        for epoch in range(1, epochs + 1):
            saved.save(epoch, state_of(epoch), history_of(epoch))
    return folder


@pytest.fixture
def folder(three_epochs: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return shutil.copytree(three_epochs, tmp_path / "copy")


def restore(folder: Path) -> tuple[int | None, list[str]]:
    """Returns the epoch that was restored, whose numbers are checked, and what was told."""
    lines: list[str] = []
    saved = checkpoints.Checkpoints(folder, "ours", lines.append).restore_latest(LIKE)
    if saved is None:
        return None, lines
    epoch = int(saved[0]["step"])
    jax.tree.map(np.testing.assert_array_equal, saved[0], state_of(epoch))
    assert saved[1] == [dataclasses.asdict(metrics) for metrics in history_of(epoch)]
    return epoch, lines


def test_the_last_epoch_is_restored_and_the_one_before_it_is_kept(folder: Path) -> None:
    assert {path.name for path in (folder / "ours").iterdir()} == {"2", "3"}
    assert restore(folder) == (3, [f"going on after epoch 3, saved in {folder / 'ours'}"])


def test_dtypes_are_restored(folder: Path) -> None:
    state, _ = checkpoints.Checkpoints(folder, "ours", print).restore_latest(LIKE)
    assert (state["step"].dtype, state["params"]["bias"].dtype) == (np.int32, np.float32)


def test_any_tree_comes_back_bit_for_bit(tmp_path: Path) -> None:
    state = {
        "a/b.c": [np.arange(3, dtype=jnp.bfloat16), {7: np.float16(0.1), 2: np.zeros((2, 1))}],
        "d": (np.int32(4), Metrics(np.int32(1), np.float32(2.5))),
    }
    jax.tree_util.register_dataclass(Metrics, ["epoch", "loss"], [])
    checkpoints.Checkpoints(tmp_path, "tree").save(1, state, [])
    like = jax.tree.map(np.zeros_like, state)
    found, _ = checkpoints.Checkpoints(tmp_path, "tree", print).restore_latest(like)
    assert jax.tree.structure(found) == jax.tree.structure(state)
    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(state), strict=True):
        assert (ours.dtype, ours.tobytes()) == (np.asarray(theirs).dtype, theirs.tobytes())


def test_a_tree_with_other_names_is_not_restored(folder: Path) -> None:
    saved = checkpoints.Checkpoints(folder, "ours", print)
    params = {"kernel": LIKE["params"]["kernel"], "b": LIKE["params"]["bias"]}
    assert saved.restore_latest({**LIKE, "params": params}) is None


def test_without_a_checkpoint_there_is_nothing_to_restore(tmp_path: Path) -> None:
    assert restore(tmp_path / "new") == (None, [])


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def delete(path: Path) -> None:
    path.unlink() if path.is_file() else shutil.rmtree(path)


def numbers(epoch: Path) -> Path:
    """The file that most of the numbers are in."""
    return max((epoch / "state").rglob("*"), key=lambda path: path.stat().st_size)


@pytest.mark.parametrize("damage", [flip_a_byte, cut_in_half, empty, delete])
def test_damaged_numbers_are_set_aside_with_a_warning(
    folder: Path, damage: Callable[[Path], None]
) -> None:
    damage(numbers(folder / "ours" / "3"))
    epoch, (warning, going_on) = restore(folder)
    assert epoch == 2
    aside = folder / "ours-damaged" / "3"
    assert re.fullmatch(
        rf"the checkpoint {folder}/ours/3 is damaged \(.+\); moved it to {aside}, taking the epoch "
        "before",
        warning,
    )
    assert going_on.startswith("going on after epoch 2")
    assert aside.is_dir() and not (folder / "ours" / "3").exists()
    # Once it has been made again, it is taken again.
    saved = checkpoints.Checkpoints(folder, "ours")
    saved.save(3, state_of(3), history_of(3))
    assert restore(folder)[0] == 3


@pytest.mark.parametrize("part", ["state", "facts", "facts/metadata", "state/manifest.ocdbt"])
def test_without_a_part_the_one_before_is_taken(folder: Path, part: str) -> None:
    delete(folder / "ours" / "3" / part)
    assert restore(folder)[0] == 2


def test_numbers_that_are_readable_but_not_those_saved_are_noticed(folder: Path) -> None:
    delete(folder / "ours" / "3" / "state")
    shutil.copytree(folder / "ours" / "2" / "state", folder / "ours" / "3" / "state")
    epoch, (warning, _) = restore(folder)
    assert epoch == 2 and "(its numbers are not those that were saved)" in warning


def test_a_history_that_is_readable_but_not_that_saved_is_noticed(folder: Path) -> None:
    facts = folder / "ours" / "3" / "facts" / "metadata"
    text = facts.read_text()
    assert text.count('"loss": 0.25') == 1
    facts.write_text(text.replace('"loss": 0.25', '"loss": 0.24'))
    epoch, (warning, _) = restore(folder)
    assert epoch == 2 and "not those that were saved" in warning


def test_whatever_file_is_damaged_nothing_wrong_is_restored(
    three_epochs: Path, tmp_path: Path
) -> None:
    for place, file in enumerate(sorted((three_epochs / "ours" / "3").rglob("*"))):
        if file.is_file():
            for damage in (flip_a_byte, empty):
                copy = shutil.copytree(three_epochs, tmp_path / f"{place}-{damage.__name__}")
                damage(copy / file.relative_to(three_epochs))
                assert restore(copy)[0] in (2, 3), file


def test_both_damaged_there_is_nothing_to_restore(folder: Path) -> None:
    for epoch in ("2", "3"):
        flip_a_byte(numbers(folder / "ours" / epoch))
    epoch, lines = restore(folder)
    assert epoch is None
    assert [re.search(r"ours/(\d) is damaged", line)[1] for line in lines] == ["3", "2"]


def test_another_structure_is_not_restored(folder: Path) -> None:
    saved = checkpoints.Checkpoints(folder, "ours", print)
    assert saved.restore_latest({**LIKE, "more": np.zeros(3, np.float32)}) is None


def test_what_a_killed_process_was_saving_is_cleaned_away(folder: Path) -> None:
    """Orbax writes into such a folder, and renames it when all is on the disk."""
    half = folder / "ours" / "4.orbax-checkpoint-tmp"
    shutil.copytree(folder / "ours" / "3", half)
    delete(half / "facts")
    assert restore(folder)[0] == 3
    for _ in range(100):  # Orbax may clean up in the background
        if not half.exists():
            return
        time.sleep(0.1)
    pytest.fail(f"{half} was left")


def test_remove_takes_nothing_but_its_own(folder: Path) -> None:
    checkpoints.Checkpoints(folder, "ours").remove()
    assert [path.name for path in folder.iterdir()] == ["others"]
    assert (folder / "others" / "1" / "state").is_dir()
    assert restore(folder) == (None, [])


def test_warnings_are_pythons_unless_another_way_is_given(folder: Path) -> None:
    delete(folder / "ours" / "3" / "state")
    with pytest.warns(UserWarning, match="ours/3 is damaged"):
        checkpoints.Checkpoints(folder, "ours").restore_latest(LIKE)
