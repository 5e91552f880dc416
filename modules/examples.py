"""Reads ExampleGen's output into arrays, through the graph that Transform made."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from modules import features

# How tf.io parses what a model takes and learns from; the same facts as
# pipeline/schema/schema.pbtxt, which also has IMAGE_SET for the evaluations.
RAW_FEATURE_SPEC = {
    features.IMAGE_FLOATS: tf.io.FixedLenFeature([features.NUM_PIXELS], tf.float32),
    features.IMAGE_CLASS: tf.io.FixedLenFeature([1], tf.int64),
}
_BATCH_SIZE = 2048
_WHOLE_FILE = 1_000_000  # batches, more than a file has


def load_raw(file_patterns: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Reads tf.Examples in an order that depends on their content alone.

    How examples are spread over files must not change what is trained; so they are sorted.

    Args:
      file_patterns: gzipped TFRecord files, as ExampleGen writes them.

    Returns:
      Images float32[N, 784] in [0, 1] and labels int64[N].

    Raises:
      ValueError: no file matches, or the files hold no example.
    """
    images, labels = [], []
    for records in _read_batches(file_patterns):
        batch = tf.io.parse_example(records, RAW_FEATURE_SPEC)
        images.append(batch[features.IMAGE_FLOATS].numpy())
        labels.append(batch[features.IMAGE_CLASS].numpy()[:, 0])
    all_images, all_labels = np.concatenate(images), np.concatenate(labels)
    order = sorted(
        range(len(all_images)), key=lambda row: (all_images[row].tobytes(), all_labels[row])
    )
    return all_images[order], all_labels[order]


def load_sample(file_patterns: list[str], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Reads some examples, at even distances in the files, and parses no others.

    The same files always give the same examples, in the order of the files.

    Args:
      file_patterns: gzipped TFRecord files, as ExampleGen writes them.
      count: of the examples to read, at least 1; all are read where there are fewer.

    Returns:
      Images float32[count, 784] in [0, 1] and labels int64[count].

    Raises:
      ValueError: no file matches, or the files hold no example.
    """
    batches = list(_read_batches(file_patterns))
    ends = np.cumsum([len(records) for records in batches])
    count = min(count, ends[-1])
    rows = np.arange(count) * ends[-1] // count
    # From each batch by itself: joining them would copy every image.
    rows_of_batches = np.split(rows, np.searchsorted(rows, ends[:-1]))
    chosen = [
        tf.gather(records, rows_of_batch - (end - len(records)))
        for records, rows_of_batch, end in zip(batches, rows_of_batches, ends, strict=True)
    ]
    parsed = tf.io.parse_example(tf.concat(chosen, axis=0), RAW_FEATURE_SPEC)
    return parsed[features.IMAGE_FLOATS].numpy(), parsed[features.IMAGE_CLASS].numpy()[:, 0]


def _read_batches(file_patterns: list[str]) -> Iterator[tf.Tensor]:
    """Yields serialized examples as string[B], in order, decompressing two files at a time.

    Raises:
      ValueError: no file matches, or the files hold no example.
    """
    files = sorted(tf.io.gfile.glob(file_patterns))
    if not files:
        raise ValueError(f"no example files match {file_patterns}")
    batches = tf.data.Dataset.from_tensor_slices(files).interleave(
        lambda file: tf.data.TFRecordDataset(file, "GZIP").batch(_BATCH_SIZE),
        cycle_length=2,
        block_length=_WHOLE_FILE,
        num_parallel_calls=2,
    )
    found = False
    for records in batches.prefetch(2):
        found = True
        yield records
    if not found:
        raise ValueError(f"no examples in {files}")


def normalize(images: np.ndarray, tft_output: tft.TFTransformOutput) -> np.ndarray:
    """Puts raw images float32[N, 784] through the Transform graph; the shape stays."""
    layer = tft_output.transform_features_layer()

    @tf.function(input_signature=[tf.TensorSpec([None, features.NUM_PIXELS], tf.float32)])
    def transform(batch: tf.Tensor) -> tf.Tensor:
        return layer({features.IMAGE_FLOATS: batch})[features.IMAGE_NORMALIZED]

    starts = range(0, len(images), _BATCH_SIZE)
    return np.concatenate(
        [transform(tf.constant(images[start : start + _BATCH_SIZE])).numpy() for start in starts]
    )
