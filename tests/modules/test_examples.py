"""Reading examples back in a fixed order, and normalising them by Transform's graph."""

from collections.abc import Callable, Sequence
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from modules import examples, features, spill
from modules.preprocessing import preprocessing_fn
from pipeline.beam_engine import IN_MEMORY

Serialize = Callable[[np.ndarray, int | None], bytes]
Row = tuple[np.ndarray, int]
GREY = (np.arange(256, dtype=np.float32) / np.float32(255)).tolist()  # as data/dataset.py has them


def _write(path: Path, records: list[bytes]) -> None:
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for record in records:
            writer.write(record)


def _draw(levels: Sequence[float], count: int) -> list[Row]:
    """Returns images of such pixels, the same beginning in all, labelled by their number."""
    random = np.random.default_rng(len(levels))
    made = np.float32(random.choice(levels, (count, 784)))
    made[:, :300] = made[0, :300]
    return [(image, label) for label, image in enumerate(made)]


@pytest.fixture
def rows() -> list[Row]:
    """Images whose first pixel tells their label; two of them twice, with two labels."""
    random = np.random.default_rng(0)
    made = random.random((50, 784), np.float32)
    made[:, 0] = np.arange(50) / 100
    labels = np.arange(50) % 10
    pairs = list(zip(made, labels.tolist(), strict=True))
    return [*pairs, (made[3], 8), (made[3], 1)]


def test_order_depends_on_the_content_alone(
    tmp_path: Path, rows: list[Row], serialize: Serialize
) -> None:
    records = [serialize(*row) for row in rows]
    _write(tmp_path / "one" / "a", records)
    shuffled = [records[i] for i in np.random.default_rng(1).permutation(len(records))]
    _write(tmp_path / "two" / "a", shuffled[30:])
    _write(tmp_path / "two" / "b", shuffled[:30])
    images, labels = examples.load_raw([str(tmp_path / "one" / "*")])
    others = examples.load_raw([str(tmp_path / "two" / "*")])
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
    made = _draw(levels, 10) * 3
    made += [(made[0][0], 9), (made[0][0], 300)]
    _write(tmp_path / "a", [serialize(*row) for row in made])
    images, labels = examples.load_raw([str(tmp_path / "a")])
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
    monkeypatch.setattr(examples, "_BATCH_SIZE", 20)
    rows = _draw(GREY, 30) + _draw(levels, 30)
    _write(tmp_path / "a", [serialize(*row) for row in rows])
    size = len(rows) * (784 * pixel_bytes + 8)
    (in_memory, labels), (in_file, same_labels) = (
        examples.load_raw([str(tmp_path / "a")], limit) for limit in (size, size - 1)
    )
    assert isinstance(in_file._records, spill.InFile)
    assert type(in_memory._records) is np.ndarray and in_memory._records.nbytes == size
    np.testing.assert_array_equal(labels, same_labels)
    some = np.array([59, 0, 7])
    for one, other in ((in_memory, in_file), (in_file, in_memory)):
        normalized = one.then(examples.normalizer(tft_output))
        assert len(one) == len(normalized) == 60 and one[some].dtype == np.float32
        np.testing.assert_array_equal(one[some], other[:][some])
        expected = examples.normalize(other[:], tft_output)[some]
        np.testing.assert_array_equal(normalized[some], expected)


def test_reads_batch_by_batch_in_the_order_of_the_files(
    tmp_path: Path,
    rows: list[Row],
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


def test_labels_follow_their_images(tmp_path: Path, rows: list[Row], serialize: Serialize) -> None:
    """Three examples of one image keep their three labels, in order."""
    _write(tmp_path / "a", [serialize(*row) for row in rows[:20]])
    _write(tmp_path / "b", [serialize(*row) for row in rows[20:]])
    kept, labels = examples.load_raw([str(tmp_path / "a"), str(tmp_path / "b")])
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
    monkeypatch.setattr(examples, "_BATCH_SIZE", 4)
    sent = np.linspace(0, 1, 10, dtype=np.float32)
    _write(tmp_path / "a", [serialize(np.full(784, value), 0) for value in sent])
    images, _ = examples.load_raw([str(tmp_path / "*")])
    np.testing.assert_array_equal(np.sort(images[:][:, 0]), sent)


@pytest.mark.parametrize("count", [1, 7, 52, 60])
def test_sample_is_the_same_however_the_examples_are_spread(
    tmp_path: Path,
    rows: list[Row],
    serialize: Serialize,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
) -> None:
    """Equal examples are one; none is drawn twice, and each with its label."""
    _write(tmp_path / "one" / "a", [serialize(*row) for row in rows])
    order = np.random.default_rng(1).permutation([*range(len(rows)), 7, 7, 20])
    for name, share in (("a", order[:26]), ("b", order[26:40]), ("c", order[40:])):
        _write(tmp_path / "two" / name, [serialize(*rows[row]) for row in share])
    images, labels = examples.load_sample([str(tmp_path / "one" / "*")], count)
    assert (images.dtype, images.shape, labels.dtype, labels.shape) == (
        (np.float32, (min(count, 52), 784), np.int64, (min(count, 52),))
    )
    places = {(image.tobytes(), label): place for place, (image, label) in enumerate(rows)}
    found = [places[image.tobytes(), label] for image, label in zip(images, labels, strict=True)]
    assert len(set(found)) == len(found)
    monkeypatch.setattr(examples, "_BATCH_SIZE", 3)
    again = examples.load_sample([str(tmp_path / "two" / "*")], count)
    np.testing.assert_array_equal(again[0], images)
    np.testing.assert_array_equal(again[1], labels)


def test_sample_is_drawn_from_all_files_at_random(tmp_path: Path, serialize: Serialize) -> None:
    _write(tmp_path / "a", [serialize(*row) for row in _draw(GREY, 400)])
    _, labels = examples.load_sample([str(tmp_path / "*")], 100)
    assert labels.mean() == pytest.approx(200, abs=30)  # 2.6 standard deviations
    assert np.any(np.diff(labels) < 0)
    assert np.bincount(labels // 100).tolist() == pytest.approx([25] * 4, abs=10)


def test_examples_are_read_once(
    tmp_path: Path,
    rows: list[Row],
    serialize: Serialize,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _write(tmp_path / "floats" / "a", [serialize(*row) for row in rows])
    _write(tmp_path / "greys" / "a", [serialize(*row) for row in _draw(GREY, 30)])
    reads: list[list[str]] = []
    dataset = tf.data.TFRecordDataset
    monkeypatch.setattr(
        tf.data, "TFRecordDataset", lambda files, kind: reads.append(files) or dataset(files, kind)
    )
    for load, folder in (
        (lambda patterns: examples.load_sample(patterns, 5), "floats"),
        (examples.load_raw, "greys"),
        (lambda patterns: examples.load_raw(patterns, 0), "greys"),
    ):
        reads.clear()
        load([str(tmp_path / folder / "*")])
        assert reads == [[str(tmp_path / folder / "a")]]


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
