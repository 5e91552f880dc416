"""ExampleGen over images in any form: TFX's file-based ExampleGen with an executor of ours."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
import tensorflow as tf
from tfx import types
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.components.util import examples_utils
from tfx.dsl.components.base import executor_spec
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs

from data.dataset import (
    Dataset,
    changed,
    check_unchanged,
    range_size,
    ranges,
    read_checked,
)
from data.errors import DataError
from data.forms.reader import Reader
from data.forms.registry import open_splits
from data.splits import Split
from pipeline.components.checked_data import Checked
from pipeline.components.example_records import serialized_examples
from pipeline.storage import (
    data_copies,
    stores,
    tfx_plugin,  # noqa: F401 - TFX's driver looks at the files, which may be in an object store
)

FILE_FORMAT = "tfrecords_gzip"
_RECORD_OPTIONS = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
# The hard images are made of the eval split's, so that two splits are all that TFX has to know of.
_SOURCES = {Split.TRAIN: Split.TRAIN, Split.EVAL: Split.EVAL, Split.HARD: Split.EVAL}


class Shard(NamedTuple):
    """A range of a split, and the file that its examples go to; `place` is named in errors."""

    reader: Reader
    start: int
    stop: int
    digest: str
    split: Split
    destination: str
    place: str


class Executor(BaseBeamExecutor):
    """Turns images into tf.Examples with `image_floats`, `image_class` and `image_set`.

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
          data.errors.DataError: the files do not hold what was checked.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        folder = exec_properties[standard_component_specs.INPUT_BASE_KEY]
        examples = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        examples.splits = list(Split)
        checked = Checked.unpacked(exec_properties)
        with _on_disk(folder, checked) as local_folder:
            splits = _opened(local_folder, checked)
            shards = []
            for split in Split:
                destination = examples.path(split=split)
                tf.io.gfile.makedirs(destination)
                shards += plan_shards(splits, checked, split, destination, folder)
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
                size = range_size(checked.task)
                check_unchanged(splits, checked.range_digests, size, folder)
                raise
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
        examples_utils.set_file_format(examples, FILE_FORMAT)


@contextlib.contextmanager
def _on_disk(folder: str, checked: Checked) -> Iterator[Path]:
    """Gives the folder, or a temporary copy of the data set's files if it is in a store."""
    if not stores.is_uri(folder):
        yield Path(folder)
        return
    with tempfile.TemporaryDirectory(prefix="data-") as copy:
        data_copies.download_matching(folder, set(checked.patterns.values()), Path(copy))
        try:
            yield Path(copy)
        except DataError as error:
            raise DataError(str(error).replace(copy, folder.rstrip("/"))) from error


def _opened(folder: Path, checked: Checked) -> dict[Split, Reader]:
    try:
        return open_splits(folder, checked.form, checked.options)
    except DataError as error:
        raise changed(str(folder), error) from error


def plan_shards(
    splits: Mapping[Split, Reader], checked: Checked, split: Split, destination: str, place: str
) -> list[Shard]:
    """Returns the shards of a split, one for each range.

    Args:
      splits: the readers of TRAIN and EVAL.
      checked: what they have to hold.
      split: to be written.
      destination: folder for the shards.
      place: where the data lies, for errors.

    Raises:
      data.errors.DataError: there are more or fewer examples.
    """
    reader, digests = splits[_SOURCES[split]], checked.range_digests[_SOURCES[split]]
    bounds = ranges(len(reader), range_size(checked.task))
    if len(bounds) != len(digests):
        raise changed(place)
    return [
        Shard(
            reader,
            start,
            stop,
            digest,
            split,
            os.path.join(destination, f"data_tfrecord-{number:05d}-of-{len(bounds):05d}.gz"),
            place,
        )
        for number, ((start, stop), digest) in enumerate(zip(bounds, digests, strict=True))
    ]


def write_shard(
    reader: Reader,
    start: int,
    stop: int,
    digest: str,
    split: Split,
    destination: str,
    place: str,
) -> None:
    """Writes examples [start, stop) as a TFRecord file, which appears only when it is whole.

    Raises:
      data.errors.DataError: they are not those of the digest.
    """
    images, labels = read_checked(reader, start, stop, digest, place)
    split_dir, name = os.path.split(destination)
    # Beside the split, not in it: readers take every file there, one that a dead worker left too.
    unfinished = f"{split_dir}-unfinished-{os.getpid()}-{name}"
    with tf.io.TFRecordWriter(unfinished, _RECORD_OPTIONS) as writer:
        for record in serialized_examples(images, labels, start, split):
            writer.write(record)
    tf.io.gfile.rename(unfinished, destination, overwrite=True)


def image_example_gen(dataset: Dataset, folder: str = "") -> FileBasedExampleGen:
    """Returns an ExampleGen over a data set, with the splits of `Split`.

    TFX's own fingerprint of the files is their size and their time in seconds. Their content is one
    more parameter, so that examples from the cache are those of the data that was checked.

    Args:
      dataset: as it was checked.
      folder: where ExampleGen finds its files, a path or URI; "" for where they are here.
    """
    splits = [
        example_gen_pb2.Input.Split(name=split, pattern=pattern)
        for split, pattern in dataset.patterns.items()
    ]
    return FileBasedExampleGen(
        input_base=folder or str(dataset.location),
        input_config=example_gen_pb2.Input(splits=splits),
        custom_config=Checked.of(dataset).packed(),
        custom_executor_spec=executor_spec.BeamExecutorSpec(Executor),
    )
