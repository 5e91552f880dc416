"""Reading examples back in a fixed order, and normalising them by Transform's graph."""

from collections.abc import Callable
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from modules import examples, features
from modules.preprocessing import preprocessing_fn
from pipeline.beam_engine import IN_MEMORY

Serialize = Callable[[np.ndarray, int | None], bytes]


def _write(path: Path, records: list[bytes]) -> None:
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for record in records:
            writer.write(record)


@pytest.fixture
def rows() -> list[tuple[np.ndarray, int]]:
    """Images whose first pixel tells their label; two of them twice, with two labels."""
    random = np.random.default_rng(0)
    made = random.random((50, 784), np.float32)
    made[:, 0] = np.arange(50) / 100
    labels = np.arange(50) % 10
    pairs = list(zip(made, labels.tolist(), strict=True))
    return [*pairs, (made[3], 8), (made[3], 1)]


def test_order_depends_on_the_content_alone(
    tmp_path: Path, rows: list[tuple[np.ndarray, int]], serialize: Serialize
) -> None:
    records = [serialize(*row) for row in rows]
    _write(tmp_path / "one" / "a", records)
    shuffled = [records[i] for i in np.random.default_rng(1).permutation(len(records))]
    _write(tmp_path / "two" / "a", shuffled[30:])
    _write(tmp_path / "two" / "b", shuffled[:30])
    images, labels = examples.load_raw([str(tmp_path / "one" / "*")])
    others = examples.load_raw([str(tmp_path / "two" / "*")])
    np.testing.assert_array_equal(images, others[0])
    np.testing.assert_array_equal(labels, others[1])
    assert (images.dtype, images.shape, labels.dtype, labels.shape) == (
        (np.float32, (52, 784), np.int64, (52,))
    )


def test_order_is_that_of_the_bytes(tmp_path: Path, serialize: Serialize) -> None:
    """By the image, then by the label; which the trained parameters, bit for bit, depend on."""
    random = np.random.default_rng(0)
    made = [(np.float32(random.integers(0, 3, 784) / 2), int(label)) for label in range(10)] * 3
    made += [(made[0][0], 9), (made[0][0], 300)]
    _write(tmp_path / "a", [serialize(*row) for row in made])
    images, labels = examples.load_raw([str(tmp_path / "a")])
    expected = sorted(made, key=lambda row: (row[0].tobytes(), row[1]))
    np.testing.assert_array_equal(images, [image for image, _ in expected])
    assert labels.tolist() == [label for _, label in expected]


def test_in_a_file_it_is_the_same(
    tmp_path: Path,
    rows: list[tuple[np.ndarray, int]],
    serialize: Serialize,
    tft_output: tft.TFTransformOutput,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(examples, "_BATCH_SIZE", 20)
    _write(tmp_path / "a", [serialize(*row) for row in rows])
    in_memory, in_file = (
        examples.load_raw([str(tmp_path / "a")], limit) for limit in (10**9, 100_000)
    )
    assert isinstance(in_file[0], np.memmap) and not isinstance(in_memory[0], np.memmap)
    for one, other in zip(in_memory, in_file, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    normalized = examples.normalize(in_file[0], tft_output, max_bytes=100_000)
    assert isinstance(normalized, np.memmap)
    np.testing.assert_array_equal(normalized, examples.normalize(in_memory[0], tft_output))


def test_reads_batch_by_batch_in_the_order_of_the_files(
    tmp_path: Path,
    rows: list[tuple[np.ndarray, int]],
    serialize: Serialize,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(examples, "_BATCH_SIZE", 20)
    _write(tmp_path / "b", [serialize(*row) for row in rows[:30]])
    _write(tmp_path / "a", [serialize(*row) for row in rows[30:]])
    batches = list(examples.read_raw([str(tmp_path / "*")]))
    assert [len(labels) for _, labels in batches] == [20, 20, 12]
    images = np.concatenate([images for images, _ in batches])
    np.testing.assert_array_equal(images, [image for image, _ in rows[30:] + rows[:30]])


def test_labels_follow_their_images(
    tmp_path: Path, rows: list[tuple[np.ndarray, int]], serialize: Serialize
) -> None:
    """Three examples of one image keep their three labels, in order."""
    _write(tmp_path / "a", [serialize(*row) for row in rows[:20]])
    _write(tmp_path / "b", [serialize(*row) for row in rows[20:]])
    images, labels = examples.load_raw([str(tmp_path / "a"), str(tmp_path / "b")])
    numbers = np.round(images[:, 0] * 100).astype(int)
    is_third = numbers == 3
    np.testing.assert_array_equal(labels[~is_third], numbers[~is_third] % 10)
    assert labels[is_third].tolist() == [1, 3, 8]
    found = {(image.tobytes(), label) for image, label in zip(images, labels, strict=True)}
    assert found == {(image.tobytes(), label) for image, label in rows}


def test_more_than_a_batch(
    tmp_path: Path, serialize: Serialize, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "_BATCH_SIZE", 4)
    sent = np.linspace(0, 1, 10, dtype=np.float32)
    _write(tmp_path / "a", [serialize(np.full(784, value), 0) for value in sent])
    images, _ = examples.load_raw([str(tmp_path / "*")])
    np.testing.assert_array_equal(np.sort(images[:, 0]), sent)


@pytest.mark.parametrize("batch_size", [3, 2048])
@pytest.mark.parametrize("count", [1, 7, 26, 52, 60])
def test_sample_is_spread_evenly_over_the_files(
    tmp_path: Path,
    rows: list[tuple[np.ndarray, int]],
    serialize: Serialize,
    monkeypatch: pytest.MonkeyPatch,
    batch_size: int,
    count: int,
) -> None:
    """In the order of the files, with their labels, no two closer than others by more than one."""
    monkeypatch.setattr(examples, "_BATCH_SIZE", batch_size)
    for name, share in (("a", rows[:26]), ("b", rows[26:39]), ("c", rows[39:])):
        _write(tmp_path / name, [serialize(*row) for row in share])
    images, labels = examples.load_sample([str(tmp_path / "*")], count)
    assert (images.dtype, images.shape, labels.dtype, labels.shape) == (
        (np.float32, (min(count, 52), 784), np.int64, (min(count, 52),))
    )
    places = {(image.tobytes(), label): place for place, (image, label) in enumerate(rows)}
    found = [places[image.tobytes(), label] for image, label in zip(images, labels, strict=True)]
    distances = np.diff([*found, len(rows)])
    assert found[0] == 0 and distances.min() >= 1 and np.ptp(distances) <= 1


@pytest.mark.parametrize(
    "load", [examples.load_raw, lambda patterns: examples.load_sample(patterns, 5)]
)
def test_nothing_to_read(tmp_path: Path, load: Callable[[list[str]], object]) -> None:
    pattern = str(tmp_path / "Split-train" / "*")
    with pytest.raises(ValueError, match=f"no example files match .*{tmp_path}/Split-train"):
        load([pattern])
    _write(tmp_path / "Split-train" / "empty", [])
    with pytest.raises(ValueError, match=f"no examples in .*{tmp_path}/Split-train/empty"):
        load([pattern])


def test_normalize_is_by_mean_and_deviation_of_the_train_pixels(
    tft_output: tft.TFTransformOutput, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is normalised; and in batches, the last of which is short."""
    monkeypatch.setattr(examples, "_BATCH_SIZE", 30)
    train = images.astype(np.float64)
    others = np.random.default_rng(0).random((70, 784), np.float32)
    for given in (images, others):
        found = examples.normalize(given, tft_output)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, (given - train.mean()) / train.std(), atol=1e-6)


def test_graph_needs_the_images_alone(tmp_path: Path, images: np.ndarray) -> None:
    """Also where Transform has seen the sets that the examples belong to."""
    spec = {
        **examples.RAW_FEATURE_SPEC,
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
        examples.normalize(images, tft_output), (images - train.mean()) / train.std(), atol=1e-6
    )
