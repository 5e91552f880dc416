"""Reads ExampleGen's output into arrays, through the graph that Transform made."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from modules import features, spill

# How tf.io parses what a model takes and learns from; the same facts as
# pipeline/schema/schema.pbtxt, which also has IMAGE_SET for the evaluations.
RAW_FEATURE_SPEC = {
    features.IMAGE_FLOATS: tf.io.FixedLenFeature([features.NUM_PIXELS], tf.float32),
    features.IMAGE_CLASS: tf.io.FixedLenFeature([1], tf.int64),
}
_BATCH_SIZE = 2048


_RECORD = np.dtype(
    # In bytes that sort as the examples do: by the image, then by the label.
    [("image", np.float32, features.NUM_PIXELS), ("label", ">i8")]
)


def read_raw(file_patterns: list[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields tf.Examples batch by batch, in the order of the files.

    Args:
      file_patterns: gzipped TFRecord files, as ExampleGen writes them.

    Yields:
      Images float32[B, 784] in [0, 1] and labels int64[B].

    Raises:
      ValueError: no file matches, or the files hold no example.
    """
    for records in _read_batches(file_patterns):
        yield _parse(records)


def load_raw(
    file_patterns: list[str], max_bytes: float = math.inf
) -> tuple[np.ndarray, np.ndarray]:
    """Reads tf.Examples in an order that depends on their content alone.

    How examples are spread over files must not change what is trained; so they are sorted.

    Args:
      file_patterns: gzipped TFRecord files, as ExampleGen writes them.
      max_bytes: beyond it the images are kept in a file; see `spill.collect`.

    Returns:
      Images float32[N, 784] in [0, 1] and labels int64[N].

    Raises:
      ValueError: no file matches, or the files hold no example.
    """
    records = spill.collect(itertools.starmap(_record, read_raw(file_patterns)), max_bytes)
    order = np.argsort(records.view(f"V{_RECORD.itemsize}"), kind="stable")
    images = spill.collect((records["image"][rows] for rows in _batches(order)), max_bytes)
    return images, records["label"][order].astype(np.int64)


def load_sample(file_patterns: list[str], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Reads some examples, at even distances in the files, and parses no others.

    The same files always give the same examples, in the order of the files. They are read twice,
    so that no more than the sample has to be in memory.

    Args:
      file_patterns: gzipped TFRecord files, as ExampleGen writes them.
      count: of the examples to read, at least 1; all are read where there are fewer.

    Returns:
      Images float32[count, 784] in [0, 1] and labels int64[count].

    Raises:
      ValueError: no file matches, or the files hold no example.
    """
    total = sum(len(records) for records in _read_batches(file_patterns))
    count = min(count, total)
    rows = np.arange(count) * total // count
    chosen, start = [], 0
    for records in _read_batches(file_patterns):
        own = rows[(rows >= start) & (rows < start + len(records))]
        chosen.append(tf.gather(records, own - start))
        start += len(records)
    return _parse(tf.concat(chosen, axis=0))


def _parse(records: tf.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Returns images float32[B, 784] and labels int64[B] of serialized examples string[B]."""
    parsed = tf.io.parse_example(records, RAW_FEATURE_SPEC)
    return parsed[features.IMAGE_FLOATS].numpy(), parsed[features.IMAGE_CLASS].numpy()[:, 0]


def _record(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns a batch as _RECORD[B]."""
    records = np.empty(len(labels), _RECORD)
    records["image"], records["label"] = images, labels
    return records


def _batches(rows: np.ndarray) -> Iterator[np.ndarray]:
    return (rows[start : start + _BATCH_SIZE] for start in range(0, len(rows), _BATCH_SIZE))


def _read_batches(file_patterns: list[str]) -> Iterator[tf.Tensor]:
    """Yields serialized examples as string[B], in the order of the files.

    Raises:
      ValueError: no file matches, or the files hold no example.
    """
    files = sorted(tf.io.gfile.glob(file_patterns))
    if not files:
        raise ValueError(f"no example files match {file_patterns}")
    found = False
    for records in tf.data.TFRecordDataset(files, "GZIP").batch(_BATCH_SIZE).prefetch(2):
        found = True
        yield records
    if not found:
        raise ValueError(f"no examples in {files}")


def normalize(
    images: np.ndarray, tft_output: tft.TFTransformOutput, max_bytes: float = math.inf
) -> np.ndarray:
    """Puts raw images float32[N, 784] through the Transform graph; the shape stays.

    Beyond `max_bytes` the result is kept in a file; see `spill.collect`.
    """
    layer = tft_output.transform_features_layer()

    @tf.function(input_signature=[tf.TensorSpec([None, features.NUM_PIXELS], tf.float32)])
    def transform(batch: tf.Tensor) -> tf.Tensor:
        return layer({features.IMAGE_FLOATS: batch})[features.IMAGE_NORMALIZED]

    return spill.collect(
        (transform(tf.constant(batch)).numpy() for batch in _batches(images)), max_bytes
    )
