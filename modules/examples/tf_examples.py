"""Reads ExampleGen's output into arrays, through the graph that Transform made."""

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from modules import features
from modules.examples import spill
from modules.examples.images import Images, NotGreyError, to_records

_BATCH_SIZE = 2048


def raw_feature_spec(num_pixels: int) -> dict[str, tf.io.FixedLenFeature]:
    """Returns how tf.io parses what a model takes and learns from.

    The schema says the same, and has IMAGE_SET for the evaluations.
    """
    return {
        features.IMAGE_FLOATS: tf.io.FixedLenFeature([num_pixels], tf.float32),
        features.IMAGE_CLASS: tf.io.FixedLenFeature([1], tf.int64),
    }


def read_raw(file_patterns: list[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields tf.Examples batch by batch, in the order of the files.

    Args:
      file_patterns: gzipped TFRecord files, as ExampleGen writes them.

    Yields:
      Images float32[B, pixels] in [0, 1] and labels int64[B].

    Raises:
      ValueError: no file matches, or the files hold no example.
      tf.errors.InvalidArgumentError: images are of several sizes.
    """
    for records in _read_batches(file_patterns):
        yield _parse(records)


def count(file_patterns: list[str]) -> int:
    """Returns how many tf.Examples there are; raises as `read_raw`."""
    return sum(len(records) for records in _read_batches(file_patterns))


def load_raw(file_patterns: list[str], max_bytes: float = math.inf) -> tuple[Images, np.ndarray]:
    """Reads tf.Examples in an order that depends only on their content.

    They are sorted, because the way examples are spread over files must not change the training.
    Pixels of levels k/255, which is what our ExampleGen writes, are kept as bytes; if there
    are any others, all are read again and kept as floats.

    Args:
      file_patterns: gzipped TFRecord files, as ExampleGen writes them.
      max_bytes: beyond it the images are kept in a file; see `spill.sort_records`.

    Returns:
      Images float32[N, pixels] in [0, 1] and labels int64[N].

    Raises:
      ValueError: no file matches, or the files hold no example.
    """

    def load(pixel: type[np.generic]) -> np.ndarray | spill.InFile:
        batches = itertools.starmap(
            lambda images, labels: to_records(images, labels, pixel), read_raw(file_patterns)
        )
        return spill.sort_records(batches, max_bytes)

    try:
        records = load(np.uint8)
    except NotGreyError:
        records = load(np.float32)
    # Copies, since a view would keep the images of its batch.
    labels = [records[rows]["label"].astype(np.int64) for rows in _batches(len(records))]
    return Images(records), np.concatenate(labels)


def load_sample(file_patterns: list[str], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Reads a sample of the examples, chosen by their content, and parses only those.

    It takes the examples with the smallest fingerprints, and only one of any that are equal. So the
    same examples always give the same sample in the same order, however they are spread over files.
    They are read once, with little more than the sample in memory.

    Args:
      file_patterns: gzipped TFRecord files, as ExampleGen writes them.
      count: how many examples to return, at least 1; if fewer differ, all of those.

    Returns:
      Images float32[count, pixels] in [0, 1] and labels int64[count].

    Raises:
      ValueError: no file matches, or the files hold no example.
    """
    chosen, prints = tf.constant([], tf.string), np.empty(0, np.int64)
    for records in _read_batches(file_patterns):
        both = tf.concat([chosen, records], axis=0)
        own = tf.strings.to_hash_bucket_fast(records, np.iinfo(np.int64).max).numpy()
        prints, first = np.unique(np.concatenate([prints, own]), return_index=True)
        prints, chosen = prints[:count], tf.gather(both, first[:count])
    return _parse(chosen)


def _parse(records: tf.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Returns images float32[B, pixels] and labels int64[B] of serialized examples string[B]."""
    first = tf.train.Example.FromString(records[0].numpy())
    size = len(first.features.feature[features.IMAGE_FLOATS].float_list.value)
    parsed = tf.io.parse_example(records, raw_feature_spec(size))
    return parsed[features.IMAGE_FLOATS].numpy(), parsed[features.IMAGE_CLASS].numpy()[:, 0]


def _batches(count: int) -> Iterator[slice]:
    return (slice(start, start + _BATCH_SIZE) for start in range(0, count, _BATCH_SIZE))


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


def normalizer(tft_output: tft.TFTransformOutput) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the Transform graph as a function of raw float32[B, pixels]; the shape stays."""
    layer = tft_output.transform_features_layer()

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32)])
    def transform(batch: tf.Tensor) -> tf.Tensor:
        return layer({features.IMAGE_FLOATS: batch})[features.IMAGE_NORMALIZED]

    return lambda images: transform(tf.constant(images)).numpy()


def normalize(images: np.ndarray, tft_output: tft.TFTransformOutput) -> np.ndarray:
    """Puts raw images float32[N, pixels] through the Transform graph; the shape stays."""
    transform = normalizer(tft_output)
    return np.concatenate([transform(images[rows]) for rows in _batches(len(images))])
