"""ExampleGen: every image of the IDX files comes out once, exactly, in TFX's own files."""

import gzip
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types.standard_artifacts import Examples

from data import dataset, hard
from data.dataset import FILE_NAMES
from data.errors import DataError
from data.idx import write_idx
from data.splits import Split
from modules import examples
from pipeline import example_gen
from pipeline.beam_engine import IN_MEMORY

TRAIN, EVAL = 23, 7


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path, arrays: dict[str, np.ndarray]) -> Path:
    """The arrays as MNIST's files: plain, or as the test says, .gz or with the other spelling."""
    form = getattr(request, "param", "")
    made = tmp_path / "data"
    made.mkdir()
    for name, array in arrays.items():
        write_idx(made / name, array)
        if form == ".gz":
            (made / f"{name}.gz").write_bytes(gzip.compress((made / name).read_bytes()))
            (made / name).unlink()
        elif form:
            (made / name).rename(made / name.replace("-idx", ".idx"))
    return made


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """Random images and labels, all 256 grey levels among them."""
    random = np.random.default_rng(0)
    made = {}
    for images, labels, count in ((*FILE_NAMES[:2], TRAIN), (*FILE_NAMES[2:], EVAL)):
        made[images] = random.integers(0, 256, (count, 28, 28), np.uint8)
        made[labels] = random.integers(0, 10, count, np.uint8)
    return made


def _generate(folder: Path, output: Path, digests: Sequence[str] | None = None) -> Examples:
    """Runs the component's executor with what the component hands to it."""
    digests = digests or dataset.open_folder(folder).digests
    component = example_gen.idx_example_gen(str(folder), digests)
    artifact = Examples()
    artifact.uri = str(output)
    executor = component.executor_spec.executor_class(
        BaseBeamExecutor.Context(beam_pipeline_args=list(IN_MEMORY), tmp_dir=str(output / "tmp"))
    )
    executor.Do({}, {"examples": [artifact]}, dict(component.exec_properties))
    return artifact


def _expected(
    images: np.ndarray, labels: np.ndarray, is_hard: bool = False
) -> set[tuple[bytes, int]]:
    pixels = images.reshape(-1, 784).astype(np.float32) / np.float32(255)
    if is_hard:
        pixels = hard.make_hard(pixels, 0)
    return {(row.tobytes(), int(label)) for row, label in zip(pixels, labels, strict=True)}


def _image_sets(pattern: str) -> set[bytes]:
    """The values of `image_set` of all examples, each of which has one."""
    files = tf.data.TFRecordDataset(sorted(tf.io.gfile.glob(pattern)), "GZIP")
    spec = {"image_set": tf.io.FixedLenFeature([1], tf.string)}
    return {tf.io.parse_single_example(record, spec)["image_set"][0].numpy() for record in files}


@pytest.mark.parametrize(
    ("folder", "sizes"),
    [("", (10_000, 1_000)), (".gz", (5, 2)), (".idx", (7, 7))],
    indirect=["folder"],
)
def test_every_image_once_with_its_label(
    folder: Path,
    arrays: dict[str, np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sizes: tuple[int, int],
) -> None:
    monkeypatch.setattr(dataset, "RANGE_SIZE", sizes[0])
    monkeypatch.setattr(example_gen, "_ENCODED_AT_ONCE", sizes[1])
    artifact = _generate(folder, tmp_path / "examples")
    assert sorted(json.loads(artifact.split_names)) == ["eval", "hard", "train"]
    for split, image_set, count, names in (
        ("train", b"train", TRAIN, FILE_NAMES[:2]),
        ("eval", b"eval", EVAL, FILE_NAMES[2:]),
        ("hard", b"hard", EVAL, FILE_NAMES[2:]),
    ):
        images, labels = examples.load_raw([f"{artifact.uri}/Split-{split}/*"])
        assert len(images) == count
        found = {(row.tobytes(), int(label)) for row, label in zip(images, labels, strict=True)}
        assert found == _expected(*(arrays[name] for name in names), is_hard=split == "hard")
        assert _image_sets(f"{artifact.uri}/Split-{split}/*") == {image_set}


def test_one_serialized_example(tmp_path: Path) -> None:
    image = np.arange(784, dtype=np.int64).astype(np.uint8).reshape(1, 28, 28)
    for name in FILE_NAMES[::2]:
        write_idx(tmp_path / name, image)
    for name in FILE_NAMES[1::2]:
        write_idx(tmp_path / name, np.array([7], np.uint8))
    paths = [str(tmp_path / name) for name in FILE_NAMES[2:]]
    [record] = example_gen.serialized_examples(*paths, 0, 1, Split.EVAL)
    floats = [np.float32(pixel) / np.float32(255) for pixel in image.ravel()]
    assert tf.train.Example.FromString(record) == tf.train.Example(
        features=tf.train.Features(
            feature={
                "image_floats": tf.train.Feature(float_list=tf.train.FloatList(value=floats)),
                "image_class": tf.train.Feature(int64_list=tf.train.Int64List(value=[7])),
                "image_set": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"eval"])),
            }
        )
    )


def test_a_shard_that_breaks_off_is_not_taken_for_a_whole_one(folder: Path, tmp_path: Path) -> None:
    split = tmp_path / "Split-train"
    split.mkdir()
    destination = split / "data_tfrecord-00000-of-00001.gz"
    with pytest.raises(DataError):
        example_gen.write_shard(
            *(str(folder / name) for name in FILE_NAMES[:2]),
            0,
            TRAIN + 1,
            Split.TRAIN,
            str(destination),
        )
    assert list(split.iterdir()) == []


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
    digests = dataset.open_folder(folder).digests
    if when == "before":
        change(folder / name)
    else:
        make_pipeline = BaseBeamExecutor._make_beam_pipeline

        def change_first(executor: BaseBeamExecutor) -> beam.Pipeline:
            change(folder / name)
            return make_pipeline(executor)

        monkeypatch.setattr(BaseBeamExecutor, "_make_beam_pipeline", change_first)
    with pytest.raises(DataError, match=f"^{folder / name}: is not what was checked .*run again$"):
        _generate(folder, tmp_path / "examples", digests)


def test_a_file_that_changes_only_for_a_worker(folder: Path, tmp_path: Path) -> None:
    """Nothing is written of what one worker saw, though all is well before and after."""
    digests = dict(zip(FILE_NAMES, dataset.open_folder(folder).digests, strict=True))
    [shard] = example_gen.plan_shards(folder, digests, Split.TRAIN, str(tmp_path / "Split-train"))
    (tmp_path / "Split-train").mkdir()
    before = (folder / FILE_NAMES[1]).read_bytes()
    _other_pixel(folder / FILE_NAMES[1])
    with pytest.raises(DataError, match=f"{FILE_NAMES[1]}: is not what was checked"):
        example_gen.write_shard(*shard)
    assert list((tmp_path / "Split-train").iterdir()) == []
    (folder / FILE_NAMES[1]).write_bytes(before)
    example_gen.write_shard(*shard)
    assert len(list((tmp_path / "Split-train").iterdir())) == 1


def test_the_content_is_part_of_what_the_cache_goes_by(folder: Path) -> None:
    """Where size and time are the same, and packing it otherwise makes no difference."""
    before = example_gen.idx_example_gen(str(folder), dataset.open_folder(folder).digests)
    packed = gzip.compress((folder / FILE_NAMES[2]).read_bytes())
    (folder / f"{FILE_NAMES[2]}.gz").write_bytes(packed)
    (folder / FILE_NAMES[2]).unlink()
    again = example_gen.idx_example_gen(str(folder), dataset.open_folder(folder).digests)
    assert again.exec_properties == before.exec_properties
    _other_pixel(folder / FILE_NAMES[0])
    other = example_gen.idx_example_gen(str(folder), dataset.open_folder(folder).digests)
    assert other.exec_properties != before.exec_properties


@pytest.mark.parametrize("folder", ["", ".gz", ".idx"], indirect=True)
def test_splits_have_disjoint_patterns_that_cover_the_four_files(folder: Path) -> None:
    """What TFX fingerprints: each file once, though two splits are made of the test images."""
    component = example_gen.idx_example_gen(str(folder), dataset.open_folder(folder).digests)
    config = json.loads(component.exec_properties["input_config"])
    found = {split["name"]: set(folder.glob(split["pattern"])) for split in config["splits"]}
    assert {name: len(files) for name, files in found.items()} == {"train": 2, "eval": 2}
    assert found["train"] | found["eval"] == set(folder.iterdir())
    assert component.exec_properties["input_base"] == str(folder)
