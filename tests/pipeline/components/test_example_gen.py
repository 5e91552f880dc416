"""ExampleGen: every image comes out once, exactly, in TFX's own files."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data import dataset, hard
from data.errors import DataError
from data.finding.opening import open_data
from data.forms.idx import write_idx
from data.forms.idx_names import FILE_NAMES
from data.splits import Split
from modules.examples import tf_examples
from pipeline.components import example_gen, example_records
from tests.pipeline.components.generated import generate

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


def _expected(
    images: np.ndarray, labels: np.ndarray, is_hard: bool = False
) -> set[tuple[bytes, int]]:
    pixels = images.astype(np.float32) / np.float32(255)
    if is_hard:
        pixels = hard.make_hard(pixels[..., None], 0)
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
    monkeypatch.setattr(example_records, "_ENCODED_AT_ONCE", sizes[1])
    artifact = generate(folder, tmp_path / "examples")
    assert sorted(json.loads(artifact.split_names)) == ["eval", "hard", "train"]
    for split, image_set, count, names in (
        ("train", b"train", TRAIN, FILE_NAMES[:2]),
        ("eval", b"eval", EVAL, FILE_NAMES[2:]),
        ("hard", b"hard", EVAL, FILE_NAMES[2:]),
    ):
        images, labels = tf_examples.load_raw([f"{artifact.uri}/Split-{split}/*"])
        assert len(images) == count
        found = {(row.tobytes(), int(label)) for row, label in zip(images, labels, strict=True)}
        assert found == _expected(*(arrays[name] for name in names), is_hard=split == "hard")
        assert _image_sets(f"{artifact.uri}/Split-{split}/*") == {image_set}


def test_one_serialized_example() -> None:
    image = np.arange(784, dtype=np.int64).astype(np.uint8).reshape(1, 28, 28, 1)
    labels = np.array([7])
    [record] = example_records.serialized_examples(image, labels, 0, Split.EVAL)
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


def test_the_same_image_gives_the_same_bytes() -> None:
    """The sample that sets the ranges of integer models is drawn by them."""
    images, labels = np.zeros((60, 2, 2, 1), np.uint8), np.zeros(60, np.int64)
    assert len(set(example_records.serialized_examples(images, labels, 0, Split.TRAIN))) == 1


def _png_folder(path: Path) -> None:
    random = np.random.default_rng(0)
    for number in range(30):
        (path / str(number % 3)).mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (5, 7, 3), np.uint8)
        Image.fromarray(pixels).save(path / str(number % 3) / f"{number}.png")


def _npz(path: Path) -> None:
    random = np.random.default_rng(0)
    arrays = {"x": random.integers(0, 256, (30, 5, 7, 3), np.uint8), "y": np.arange(30) % 3 * 5}
    path.mkdir()
    np.savez(path / "made.npz", **arrays)


@pytest.mark.parametrize("make", [_png_folder, _npz])
def test_colours_of_any_size_in_other_forms(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "data")
    found = open_data(tmp_path / "data")
    artifact = generate(tmp_path / "data", tmp_path / "examples", found)
    spec = {
        "image_floats": tf.io.FixedLenFeature([105], tf.float32),
        "image_class": tf.io.FixedLenFeature([1], tf.int64),
    }
    for split in Split:
        files = tf.io.gfile.glob(f"{artifact.uri}/Split-{split}/*")
        records = list(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())
        examples = tf.io.parse_example(records, spec)
        pixels, labels = found.features(Split.EVAL if split == Split.HARD else split)
        if split == Split.HARD:
            pixels = hard.make_hard(pixels.reshape(-1, 5, 7, 3), 0).reshape(pixels.shape)
        np.testing.assert_array_equal(examples["image_floats"], pixels)
        np.testing.assert_array_equal(examples["image_class"][:, 0], labels)


def test_a_shard_that_breaks_off_is_not_taken_for_a_whole_one(folder: Path, tmp_path: Path) -> None:
    split = tmp_path / "Split-train"
    split.mkdir()
    destination = split / "data_tfrecord-00000-of-00001.gz"
    reader = open_data(folder).open()[Split.TRAIN]
    with pytest.raises(DataError):
        example_gen.write_shard(reader, 0, TRAIN + 1, "", Split.TRAIN, str(destination), "here")
    assert list(split.iterdir()) == []


@pytest.mark.parametrize("folder", ["", ".gz", ".idx"], indirect=True)
def test_splits_have_disjoint_patterns_that_cover_the_four_files(folder: Path) -> None:
    """What TFX fingerprints: each file once, though two splits are made of the test images."""
    component = example_gen.image_example_gen(open_data(folder))
    config = json.loads(component.exec_properties["input_config"])
    found = {split["name"]: set(folder.glob(split["pattern"])) for split in config["splits"]}
    assert {name: len(files) for name, files in found.items()} == {"train": 2, "eval": 2}
    assert found["train"] | found["eval"] == set(folder.iterdir())
    assert component.exec_properties["input_base"] == str(folder)
