"""Images as the records that all components after ExampleGen read."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import tensorflow as tf
from tfx_bsl.coders import example_coder

from data import hard
from data.dataset import as_features
from data.splits import Split
from modules import features

_ENCODED_AT_ONCE = 1_000  # and not more numbers than this:
_NUMBERS_AT_ONCE = 4_000_000


def serialized_examples(
    images: np.ndarray, labels: np.ndarray, first_index: int, split: Split
) -> Iterator[bytes]:
    """Yields examples of a split as serialized tf.Examples.

    Those of the hard split are the images after `data.hard.make_hard`. The same image always gives
    the same bytes, since samples are drawn by them.

    Args:
      images: uint8[N, H, W, C].
      labels: int64[N].
      first_index: of the first one in its split.
      split: that they are of.
    """
    encoder = example_coder.RecordBatchToExamplesEncoder()
    num_pixels = images[0].size if len(images) else 1
    at_once = max(1, min(_ENCODED_AT_ONCE, _NUMBERS_AT_ONCE // num_pixels))
    for first in range(0, len(images), at_once):
        some = images[first : first + at_once]
        class_rows = labels[first : first + at_once]
        image_rows = as_features(some)
        if split == Split.HARD:
            moved = hard.make_hard(image_rows.reshape(some.shape), first_index + first)
            image_rows = moved.reshape(image_rows.shape)
        row_offsets = pa.array(range(len(class_rows) + 1), pa.int64())
        image_offsets = range(0, image_rows.size + 1, num_pixels)
        columns = {
            features.IMAGE_FLOATS: pa.LargeListArray.from_arrays(
                pa.array(image_offsets, pa.int64()), pa.array(image_rows.ravel())
            ),
            features.IMAGE_CLASS: pa.LargeListArray.from_arrays(row_offsets, pa.array(class_rows)),
            features.IMAGE_SET: pa.LargeListArray.from_arrays(
                row_offsets, pa.array([split.encode()] * len(class_rows))
            ),
        }
        # The encoder writes the features in another order each time.
        for record in encoder.encode(pa.RecordBatch.from_pydict(columns)):
            yield tf.train.Example.FromString(record).SerializeToString(deterministic=True)
