"""Reading examples back in a fixed order, and normalising them by Transform's graph."""

import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from modules import features
from modules.examples import spill, tf_examples
from modules.preprocessing import preprocessing_fn
from pipeline.config import IN_MEMORY
from tests.modules.examples.example_files import GREY, Row, Serialize, draw_rows, make_rows, write


@pytest.fixture
def rows() -> list[Row]:
    return make_rows()


def test_order_depends_on_the_content_alone(
    tmp_path: Path, rows: list[Row], serialize: Serialize
) -> None:
    records = [serialize(*row) for row in rows]
    write(tmp_path / "one" / "a", records)
    shuffled = [records[i] for i in np.random.default_rng(1).permutation(len(records))]
    write(tmp_path / "two" / "a", shuffled[30:])
    write(tmp_path / "two" / "b", shuffled[:30])
    images, labels = tf_examples.load_raw([str(tmp_path / "one" / "*")])
    others = tf_examples.load_raw([str(tmp_path / "two" / "*")])
    np.testing.assert_array_equal(images[:], others[0][:])
    np.testing.assert_array_equal(labels, others[1])
    assert (images[:].dtype, images[:].shape, labels.dtype, labels.shape) == (
        (np.float32, (52, 784), np.int64, (52,))
    )


@pytest.mark.parametrize("levels", [GREY, [0, 0.5, 1]])
def test_order_is_that_of_the_bytes(
    tmp_path: Path, serialize: Serialize, levels: Sequence[float]
) -> None:
    """By the image, then by the label; which the trained parameters, bit for bit, depend on."""
    made = draw_rows(levels, 10) * 3
    made += [(made[0][0], 9), (made[0][0], 300)]
    write(tmp_path / "a", [serialize(*row) for row in made])
    images, labels = tf_examples.load_raw([str(tmp_path / "a")])
    expected = sorted(made, key=lambda row: (row[0].tobytes(), row[1]))
    np.testing.assert_array_equal(images[:], [image for image, _ in expected])
    assert labels.tolist() == [label for _, label in expected]


@pytest.mark.parametrize(("levels", "pixel_bytes"), [(GREY, 1), ([0, 0.1, np.nan, 1], 4)])
def test_in_a_file_it_is_the_same(
    tmp_path: Path,
    serialize: Serialize,
    tft_output: tft.TFTransformOutput,
    monkeypatch: pytest.MonkeyPatch,
    levels: Sequence[float],
    pixel_bytes: int,
) -> None:
    """Also where a pixel that is no grey level comes late; then it is read once more."""
    monkeypatch.setattr(tf_examples, "_BATCH_SIZE", 20)
    rows = draw_rows(GREY, 30) + draw_rows(levels, 30)
    write(tmp_path / "a", [serialize(*row) for row in rows])
    size = len(rows) * (784 * pixel_bytes + 8)
    (in_memory, labels), (in_file, same_labels) = (
        tf_examples.load_raw([str(tmp_path / "a")], limit) for limit in (size, size - 1)
    )
    assert isinstance(in_file._records, spill.InFile)
    assert type(in_memory._records) is np.ndarray and in_memory._records.nbytes == size
    np.testing.assert_array_equal(labels, same_labels)
    some = np.array([59, 0, 7])
    for one, other in ((in_memory, in_file), (in_file, in_memory)):
        normalized = one.then(tf_examples.normalizer(tft_output))
        assert len(one) == len(normalized) == 60 and one[some].dtype == np.float32
        np.testing.assert_array_equal(one[some], other[:][some])
        expected = tf_examples.normalize(other[:], tft_output)[some]
        np.testing.assert_array_equal(normalized[some], expected)


@pytest.mark.parametrize("in_file", [True, False])
def test_no_more_than_the_limit_is_in_memory_while_it_is_read_and_afterwards(
    tmp_path: Path, serialize: Serialize, monkeypatch: pytest.MonkeyPatch, in_file: bool
) -> None:
    """Of Python's and NumPy's memory; tests/modules/training/test_memory.py has the process's."""
    monkeypatch.setattr(tf_examples, "_BATCH_SIZE", 50)
    monkeypatch.setattr(spill, "_RECORDS_READ", 50)
    write(tmp_path / "0", [serialize(*row) for row in draw_rows(GREY, 400)])
    for number in range(1, 10):
        (tmp_path / str(number)).symlink_to(tmp_path / "0")
    size, some = 4000 * 792, 1_000_000
    limit = size // 4 if in_file else size
    tracemalloc.start()
    try:
        images, labels = tf_examples.load_raw([str(tmp_path / "*")], limit)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(images) == len(labels) == 4000
    assert peak < limit + some
    assert kept < (0 if in_file else limit) + some / 2


def test_reads_batch_by_batch_in_the_order_of_the_files(
    tmp_path: Path,
    rows: list[Row],
    serialize: Serialize,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tf_examples, "_BATCH_SIZE", 20)
    write(tmp_path / "b", [serialize(*row) for row in rows[:30]])
    write(tmp_path / "a", [serialize(*row) for row in rows[30:]])
    batches = list(tf_examples.read_raw([str(tmp_path / "*")]))
    assert [len(labels) for _, labels in batches] == [20, 20, 12]
    images = np.concatenate([images for images, _ in batches])
    np.testing.assert_array_equal(images, [image for image, _ in rows[30:] + rows[:30]])


def test_labels_follow_their_images(tmp_path: Path, rows: list[Row], serialize: Serialize) -> None:
    """Three examples of one image keep their three labels, in order."""
    write(tmp_path / "a", [serialize(*row) for row in rows[:20]])
    write(tmp_path / "b", [serialize(*row) for row in rows[20:]])
    kept, labels = tf_examples.load_raw([str(tmp_path / "a"), str(tmp_path / "b")])
    images = kept[:]
    numbers = np.round(images[:, 0] * 100).astype(int)
    is_third = numbers == 3
    np.testing.assert_array_equal(labels[~is_third], numbers[~is_third] % 10)
    assert labels[is_third].tolist() == [1, 3, 8]
    found = {(image.tobytes(), label) for image, label in zip(images, labels, strict=True)}
    assert found == {(image.tobytes(), label) for image, label in rows}


def test_more_than_a_batch(
    tmp_path: Path, serialize: Serialize, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tf_examples, "_BATCH_SIZE", 4)
    sent = np.linspace(0, 1, 10, dtype=np.float32)
    write(tmp_path / "a", [serialize(np.full(784, value), 0) for value in sent])
    images, _ = tf_examples.load_raw([str(tmp_path / "*")])
    np.testing.assert_array_equal(np.sort(images[:][:, 0]), sent)


def test_examples_are_read_once(
    tmp_path: Path,
    rows: list[Row],
    serialize: Serialize,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(tmp_path / "floats" / "a", [serialize(*row) for row in rows])
    write(tmp_path / "greys" / "a", [serialize(*row) for row in draw_rows(GREY, 30)])
    reads: list[list[str]] = []
    dataset = tf.data.TFRecordDataset
    monkeypatch.setattr(
        tf.data, "TFRecordDataset", lambda files, kind: reads.append(files) or dataset(files, kind)
    )
    for load, folder in (
        (lambda patterns: tf_examples.load_sample(patterns, 5), "floats"),
        (tf_examples.load_raw, "greys"),
        (lambda patterns: tf_examples.load_raw(patterns, 0), "greys"),
    ):
        reads.clear()
        load([str(tmp_path / folder / "*")])
        assert reads == [[str(tmp_path / folder / "a")]]


@pytest.mark.parametrize(
    "load", [tf_examples.load_raw, lambda patterns: tf_examples.load_sample(patterns, 5)]
)
def test_nothing_to_read(tmp_path: Path, load: Callable[[list[str]], object]) -> None:
    pattern = str(tmp_path / "Split-train" / "*")
    with pytest.raises(ValueError, match=f"no example files match .*{tmp_path}/Split-train"):
        load([pattern])
    write(tmp_path / "Split-train" / "empty", [])
    with pytest.raises(ValueError, match=f"no examples in .*{tmp_path}/Split-train/empty"):
        load([pattern])


def test_normalize_is_by_mean_and_deviation_of_the_train_pixels(
    tft_output: tft.TFTransformOutput, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is normalised; and in batches, the last of which is short."""
    monkeypatch.setattr(tf_examples, "_BATCH_SIZE", 30)
    train = images.astype(np.float64)
    others = np.random.default_rng(0).random((70, 784), np.float32)
    for given in (images, others):
        found = tf_examples.normalize(given, tft_output)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, (given - train.mean()) / train.std(), atol=1e-6)


def test_graph_needs_the_images_alone(tmp_path: Path, images: np.ndarray) -> None:
    """Also where Transform has seen the sets that the examples belong to."""
    spec = {
        **tf_examples.raw_feature_spec(784),
        features.IMAGE_SET: tf.io.FixedLenFeature([1], tf.string),
    }
    schema = schema_utils.schema_from_feature_spec(spec)
    rows = [
        {
            features.IMAGE_FLOATS: image,
            features.IMAGE_CLASS: np.array([0]),
            features.IMAGE_SET: np.array([b"train"]),
        }
        for image in images
    ]
    with (
        beam.Pipeline(argv=list(IN_MEMORY)) as pipeline,
        tft_beam.Context(temp_dir=str(tmp_path / "scratch")),
    ):
        data = pipeline | beam.Create(rows), dataset_metadata.DatasetMetadata(schema)
        graph = data | tft_beam.AnalyzeDataset(preprocessing_fn)
        _ = graph | tft_beam.WriteTransformFn(str(tmp_path / "graph"))
    tft_output = tft.TFTransformOutput(str(tmp_path / "graph"))
    saved_graph = tf.saved_model.load(tft_output.transform_savedmodel_dir)
    _, inputs = saved_graph.signatures["serving_default"].structured_input_signature
    assert tf.string in [spec.dtype for spec in inputs.values()]
    train = images.astype(np.float64)
    np.testing.assert_allclose(
        tf_examples.normalize(images, tft_output), (images - train.mean()) / train.std(), atol=1e-6
    )
