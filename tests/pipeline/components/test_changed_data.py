"""Data that changes once it was checked: ExampleGen writes what was checked, or nothing."""

import gzip
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor

from data.errors import DataError
from data.finding.opening import open_data
from data.forms.idx import write_idx
from data.forms.idx_names import FILE_NAMES
from data.splits import Split
from pipeline import local_runner, settings
from pipeline.components import example_gen
from pipeline.components.checked_data import Checked
from pipeline.config import PipelineConfig
from tests.pipeline.components.generated import generate

TRAIN, EVAL = 23, 7


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    for images, labels, count in ((*FILE_NAMES[:2], TRAIN), (*FILE_NAMES[2:], EVAL)):
        write_idx(made / images, np.full((count, 28, 28), 7, np.uint8) * np.eye(28, dtype=np.uint8))
        write_idx(made / labels, np.arange(count, dtype=np.uint8) % 10)
    return made


def _other_images(path: Path) -> None:
    write_idx(path, np.zeros((TRAIN - 3, 28, 28), np.uint8))


def _other_pixel(path: Path) -> None:
    """Same length, same time: TFX's own fingerprint would be the same."""
    before, content = path.stat(), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _other_dimensions(path: Path) -> None:
    write_idx(path, np.zeros((TRAIN, 2), np.uint8))


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


_CHANGES = [
    (_other_images, FILE_NAMES[0]),
    (_other_pixel, FILE_NAMES[2]),
    (_other_pixel, FILE_NAMES[1]),
    (_other_dimensions, FILE_NAMES[1]),
    (Path.unlink, FILE_NAMES[0]),
    (_fifo, FILE_NAMES[3]),
    (_folder, FILE_NAMES[0]),
]


@pytest.mark.parametrize(("change", "name"), _CHANGES)
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_files_that_change_after_they_were_checked(
    change: Callable[[Path], None],
    name: str,
    when: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whether that is before the executor begins, or while its workers write."""
    dataset = open_data(folder)
    if when == "before":
        change(folder / name)
    else:
        make_pipeline = BaseBeamExecutor._make_beam_pipeline

        def change_first(executor: BaseBeamExecutor) -> beam.Pipeline:
            change(folder / name)
            return make_pipeline(executor)

        monkeypatch.setattr(BaseBeamExecutor, "_make_beam_pipeline", change_first)
    with pytest.raises(DataError, match=f"^{folder}: is no longer what was checked .*run again$"):
        generate(folder, tmp_path / "examples", dataset)


def test_a_file_that_changes_only_for_a_worker(folder: Path, tmp_path: Path) -> None:
    """Nothing is written of what one worker saw, though all is well before and after."""
    dataset = open_data(folder)
    checked, destination = Checked.of(dataset), str(tmp_path / "Split-train")
    [shard] = example_gen.plan_shards(dataset.open(), checked, Split.TRAIN, destination, "here")
    (tmp_path / "Split-train").mkdir()
    before = (folder / FILE_NAMES[1]).read_bytes()
    _other_pixel(folder / FILE_NAMES[1])
    with pytest.raises(DataError, match="^here: is no longer what was checked"):
        example_gen.write_shard(*shard)
    assert list((tmp_path / "Split-train").iterdir()) == []
    (folder / FILE_NAMES[1]).write_bytes(before)
    example_gen.write_shard(*shard)
    assert len(list((tmp_path / "Split-train").iterdir())) == 1


def test_the_content_is_part_of_what_the_cache_goes_by(folder: Path) -> None:
    """Where size and time are the same, and packing it otherwise makes no difference."""
    before = example_gen.image_example_gen(open_data(folder))
    packed = gzip.compress((folder / FILE_NAMES[2]).read_bytes())
    (folder / f"{FILE_NAMES[2]}.gz").write_bytes(packed)
    (folder / FILE_NAMES[2]).unlink()
    again = example_gen.image_example_gen(open_data(folder))
    assert again.exec_properties == before.exec_properties
    _other_pixel(folder / FILE_NAMES[0])
    other = example_gen.image_example_gen(open_data(folder))
    assert other.exec_properties != before.exec_properties


def test_a_run_whose_data_changes_ends_as_with_wrong_data(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def checked(environment: Mapping[str, str]) -> PipelineConfig:
        found = settings.config_from_environment(environment)
        _other_images(folder / FILE_NAMES[0])
        return found

    given = {"DATASET": folder, "OUTPUT": tmp_path / "output", "RECIPES": "float32"}
    for name in settings.SETTINGS:
        monkeypatch.setenv(name, str(given.get(name, "")))
    monkeypatch.setattr(local_runner, "config_from_environment", checked)
    assert local_runner.main() == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith(f"error: {folder}: is no longer what was checked")
