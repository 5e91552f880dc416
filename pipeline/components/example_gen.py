"""ExampleGen over IDX files: TFX's file-based ExampleGen with an executor that reads them."""

import contextlib
import fnmatch
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
import tensorflow as tf
from google.protobuf import wrappers_pb2
from tfx import types
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.components.util import examples_utils
from tfx.dsl.components.base import executor_spec
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils
from tfx_bsl.coders import example_coder

from data import dataset, hard
from data.errors import DataError
from data.splits import Split
from modules import features
from pipeline.storage import (
    idx_copies,
    stores,
    tfx_plugin,  # noqa: F401 - TFX's driver looks at the files, which may be in an object store
)

# Which two IDX files a split has of its own.
FILE_PATTERNS = {Split.TRAIN: "train-*", Split.EVAL: "t10k-*"}
# The third is made of the eval split's files, so that they are all that TFX needs to know of.
_PATTERNS = {**FILE_PATTERNS, Split.HARD: FILE_PATTERNS[Split.EVAL]}
FILE_FORMAT = "tfrecords_gzip"
_ENCODED_AT_ONCE = 1_000
_RECORD_OPTIONS = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)


class _Shard(NamedTuple):
    """A range of a split, and the file that its examples go to."""

    images: str
    labels: str
    start: int
    stop: int
    split: Split
    destination: str
    digests: tuple[bytes, bytes]


class Executor(BaseBeamExecutor):
    """Turns IDX files into tf.Examples with `image_floats`, `image_class` and `image_set`.

    TFX's own base class shuffles every example. Here each worker reads a range of the files and
    writes it in order, so that only the ranges are sent around.

    Files may change at any time, and a worker may find other files than we did. Each range is
    compared with its digest, so what is written is what was checked when the pipeline was put
    together, or nothing.
    """

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the splits as gzipped TFRecords; see TFX's BaseExampleGenExecutor.

        Raises:
          data.errors.DataError: the files are not those that were checked.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        folder = exec_properties[standard_component_specs.INPUT_BASE_KEY]
        examples = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        examples.splits = list(Split)
        sha256 = _checked_sha256(exec_properties)
        with _on_disk(folder) as local_folder:
            shards = []
            for split in Split:
                destination = examples.path(split=split)
                tf.io.gfile.makedirs(destination)
                shards += plan_shards(local_folder, sha256, split, destination)
            try:
                with self._make_beam_pipeline() as pipeline:
                    _ = (
                        pipeline
                        | "Shards" >> beam.Create(shards)
                        | "SpreadShards" >> beam.Reshuffle()
                        | "WriteShard" >> beam.MapTuple(write_shard)
                    )
            except Exception:
                # Beam tells what a worker raised in words of its own.
                for split in FILE_PATTERNS:
                    plan_shards(local_folder, sha256, split, "")
                raise
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
        examples_utils.set_file_format(examples, FILE_FORMAT)


@contextlib.contextmanager
def _on_disk(folder: str) -> Iterator[Path]:
    """Gives the folder, or a temporary copy of the IDX files in it if it is in an object store."""
    if not stores.is_uri(folder):
        yield Path(folder)
        return
    with tempfile.TemporaryDirectory(prefix="data-") as copy:
        idx_copies.download_idx(folder, Path(copy))
        try:
            yield Path(copy)
        except DataError as error:
            raise DataError(str(error).replace(copy, folder.rstrip("/"))) from error


def plan_shards(
    folder: Path, sha256: dict[str, str], split: Split, destination: str
) -> list[_Shard]:
    """Returns the shards of a split, one for each range.

    Args:
      folder: where the IDX files are.
      sha256: of what they have to hold, by their names in FILE_NAMES.
      split: to be written.
      destination: folder for the shards.

    Raises:
      data.errors.DataError: they hold something else.
    """
    names = fnmatch.filter(dataset.FILE_NAMES, _PATTERNS[split])
    # One that has gone is missed under its own name.
    images, labels = (next(dataset.candidates(folder, name), folder / name) for name in names)
    ranges = dataset.checked_ranges(images, labels, [sha256[name] for name in names])
    return [
        _Shard(
            str(images),
            str(labels),
            start,
            stop,
            split,
            os.path.join(destination, f"data_tfrecord-{number:05d}-of-{len(ranges):05d}.gz"),
            digests,
        )
        for number, (start, stop, digests) in enumerate(ranges)
    ]


def write_shard(
    images: str,
    labels: str,
    start: int,
    stop: int,
    split: Split,
    destination: str,
    digests: tuple[bytes, bytes] | None = None,
) -> None:
    """Writes examples [start, stop) as a TFRecord file, which appears only when it is whole."""
    split_dir, name = os.path.split(destination)
    # Beside the split, not in it: readers take every file there, one that a dead worker left too.
    unfinished = f"{split_dir}-unfinished-{os.getpid()}-{name}"
    with tf.io.TFRecordWriter(unfinished, _RECORD_OPTIONS) as writer:
        for record in serialized_examples(images, labels, start, stop, split, digests):
            writer.write(record)
    tf.io.gfile.rename(unfinished, destination, overwrite=True)


def serialized_examples(
    images: str,
    labels: str,
    start: int,
    stop: int,
    split: Split,
    digests: tuple[bytes, bytes] | None = None,
) -> Iterator[bytes]:
    """Yields examples [start, stop) of a split as serialized tf.Examples.

    Those of the hard split are the images in the file after `data.hard.make_hard`. For `digests`,
    see `data.dataset.read_split_range`.
    """
    encoder = example_coder.RecordBatchToExamplesEncoder()
    pixels, classes = dataset.read_split_range(Path(images), Path(labels), start, stop, digests)
    for first in range(0, len(pixels), _ENCODED_AT_ONCE):
        image_rows = pixels[first : first + _ENCODED_AT_ONCE]
        class_rows = classes[first : first + _ENCODED_AT_ONCE]
        if split == Split.HARD:
            image_rows = hard.make_hard(image_rows, start + first)
        row_offsets = pa.array(range(len(class_rows) + 1), pa.int64())
        image_offsets = range(0, image_rows.size + 1, features.NUM_PIXELS)
        columns = {
            features.IMAGE_FLOATS: pa.LargeListArray.from_arrays(
                pa.array(image_offsets, pa.int64()), pa.array(image_rows.ravel())
            ),
            features.IMAGE_CLASS: pa.LargeListArray.from_arrays(row_offsets, pa.array(class_rows)),
            features.IMAGE_SET: pa.LargeListArray.from_arrays(
                row_offsets, pa.array([split.encode()] * len(class_rows))
            ),
        }
        yield from encoder.encode(pa.RecordBatch.from_pydict(columns))


def idx_example_gen(folder: str, sha256: Sequence[str]) -> FileBasedExampleGen:
    """Returns an ExampleGen over the four IDX files in a path or URI, with the splits of `Split`.

    TFX's own fingerprint of the files is their size and their time in seconds. Their content is one
    more parameter, so that examples from the cache are those of the data that was checked.

    Args:
      folder: a path or URI.
      sha256: of what the files hold, see `data.dataset.DatasetFiles.digests`.
    """
    splits = [
        example_gen_pb2.Input.Split(name=split, pattern=pattern)
        for split, pattern in FILE_PATTERNS.items()
    ]
    return FileBasedExampleGen(
        input_base=folder,
        input_config=example_gen_pb2.Input(splits=splits),
        custom_config=_packed(json.dumps({"sha256": list(sha256)})),
        custom_executor_spec=executor_spec.BeamExecutorSpec(Executor),
    )


def _packed(text: str) -> example_gen_pb2.CustomConfig:
    """Packs a string as the parameter that TFX leaves to custom executors."""
    config = example_gen_pb2.CustomConfig()
    config.custom_config.Pack(wrappers_pb2.StringValue(value=text))
    return config


def _checked_sha256(exec_properties: dict[str, Any]) -> dict[str, str]:
    """Returns what `idx_example_gen` was given, by the names of the files."""
    config, text = example_gen_pb2.CustomConfig(), wrappers_pb2.StringValue()
    packed = exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY]
    proto_utils.json_to_proto(packed, config)
    config.custom_config.Unpack(text)
    return dict(zip(dataset.FILE_NAMES, json.loads(text.value)["sha256"], strict=True))
