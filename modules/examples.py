"""Reads ExampleGen's output into arrays, through the graph that Transform made."""

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from modules import features

# How tf.io parses a raw example; the same facts as pipeline/schema/schema.pbtxt.
RAW_FEATURE_SPEC = {
    features.IMAGE_FLOATS: tf.io.FixedLenFeature([features.NUM_PIXELS], tf.float32),
    features.IMAGE_CLASS: tf.io.FixedLenFeature([1], tf.int64),
}
_BATCH_SIZE = 2048


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
    files = sorted(tf.io.gfile.glob(file_patterns))
    if not files:
        raise ValueError(f"no example files match {file_patterns}")
    batches = (
        tf.data.TFRecordDataset(files, "GZIP", num_parallel_reads=2)
        .batch(_BATCH_SIZE)
        .map(lambda records: tf.io.parse_example(records, RAW_FEATURE_SPEC))
        .prefetch(2)
        .as_numpy_iterator()
    )
    images, labels = [], []
    for batch in batches:
        images.append(batch[features.IMAGE_FLOATS])
        labels.append(batch[features.IMAGE_CLASS][:, 0])
    if not images:
        raise ValueError(f"no examples in {files}")
    all_images, all_labels = np.concatenate(images), np.concatenate(labels)
    order = sorted(
        range(len(all_images)), key=lambda row: (all_images[row].tobytes(), all_labels[row])
    )
    return all_images[order], all_labels[order]


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
