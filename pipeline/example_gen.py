"""ExampleGen over IDX files: TFX's file-based ExampleGen with an executor that reads them."""

import fnmatch
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
from google.protobuf import wrappers_pb2
from tfx.components.example_gen.base_example_gen_executor import BaseExampleGenExecutor
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2
from tfx.types import standard_component_specs
from tfx_bsl.coders import example_coder

from data import dataset, idx
from modules import features
from pipeline.source_digest import source_digest

SPLIT_PATTERNS = {"train": "train-*", "eval": "t10k-*"}
# A worker reads a range; an element on its way through Beam is one serialized example. To reach
# its start, a range of a gzipped file has to be decompressed from the top, so ranges are few.
_RANGE_SIZE = 10_000
_ENCODED_AT_ONCE = 1_000


def _read_range(images: str, labels: str, start: int, stop: int) -> Iterator[bytes]:
    """Yields examples [start, stop) of a split as serialized tf.Examples."""
    encoder = example_coder.RecordBatchToExamplesEncoder()
    pixels, classes = dataset.read_split_range(Path(images), Path(labels), start, stop)
    for first in range(0, len(pixels), _ENCODED_AT_ONCE):
        image_rows = pixels[first : first + _ENCODED_AT_ONCE]
        class_rows = classes[first : first + _ENCODED_AT_ONCE]
        image_offsets = range(0, image_rows.size + 1, features.NUM_PIXELS)
        columns = {
            features.IMAGE_FLOATS: pa.LargeListArray.from_arrays(
                pa.array(image_offsets, pa.int64()), pa.array(image_rows.ravel())
            ),
            features.IMAGE_CLASS: pa.LargeListArray.from_arrays(
                pa.array(range(len(class_rows) + 1), pa.int64()), pa.array(class_rows)
            ),
        }
        yield from encoder.encode(pa.RecordBatch.from_pydict(columns))


@beam.ptransform_fn
@beam.typehints.with_input_types(beam.Pipeline)
@beam.typehints.with_output_types(bytes)
def _IdxToExamples(  # noqa: N802 - Beam names its transforms so
    pipeline: beam.Pipeline, exec_properties: dict[str, Any], split_pattern: str
) -> beam.PCollection:
    """Reads the images and labels that `split_pattern` matches, by ranges of their index."""
    folder = Path(exec_properties[standard_component_specs.INPUT_BASE_KEY])
    images, labels = (
        str(next(dataset.candidates(folder, name)))
        for name in fnmatch.filter(dataset.FILE_NAMES, split_pattern)
    )
    count = idx.read_header(Path(images)).shape[0]
    ranges = [
        (images, labels, start, min(start + _RANGE_SIZE, count))
        for start in range(0, count, _RANGE_SIZE)
    ]
    return (
        pipeline
        | "Ranges" >> beam.Create(ranges)
        | "SpreadRanges" >> beam.Reshuffle()
        | "ReadRange" >> beam.FlatMapTuple(_read_range).with_output_types(bytes)
    )


class Executor(BaseExampleGenExecutor):
    """Turns IDX files into tf.Examples with `image_floats` and `image_class`."""

    def GetInputSourceToExamplePTransform(self) -> beam.PTransform:  # noqa: N802 - TFX's name
        """Returns the transform that reads one split."""
        return _IdxToExamples


def idx_example_gen(folder: str) -> FileBasedExampleGen:
    """Returns an ExampleGen over the four IDX files in `folder`, split as the files are.

    TFX fingerprints the files themselves, so new data is noticed and old data is not read again.
    """
    splits = [
        example_gen_pb2.Input.Split(name=name, pattern=pattern)
        for name, pattern in SPLIT_PATTERNS.items()
    ]
    return FileBasedExampleGen(
        input_base=folder,
        input_config=example_gen_pb2.Input(splits=splits),
        custom_config=_packed(source_digest("data/*.py", "pipeline/example_gen.py")),
        custom_executor_spec=executor_spec.BeamExecutorSpec(Executor),
    )


def _packed(text: str) -> example_gen_pb2.CustomConfig:
    """Packs a string as the parameter that TFX leaves to custom executors; ours needs none."""
    config = example_gen_pb2.CustomConfig()
    config.custom_config.Pack(wrappers_pb2.StringValue(value=text))
    return config
