"""ExampleGen's executor, run by itself, and what it writes of single ranges."""

from pathlib import Path

from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types.standard_artifacts import Examples

from data.dataset import Dataset, digest_of
from data.finding.opening import open_data
from data.splits import Split
from pipeline.components import example_gen
from pipeline.config import IN_MEMORY


def generate(folder: Path, output: Path, dataset: Dataset | None = None) -> Examples:
    """Runs the component's executor with what the component hands to it."""
    component = example_gen.image_example_gen(dataset or open_data(folder))
    artifact = Examples()
    artifact.uri = str(output)
    executor = component.executor_spec.executor_class(
        BaseBeamExecutor.Context(beam_pipeline_args=list(IN_MEMORY), tmp_dir=str(output / "tmp"))
    )
    executor.Do({}, {"examples": [artifact]}, dict(component.exec_properties))
    return artifact


def write_examples(dataset: Dataset, start: int, stop: int, split: Split, path: str) -> None:
    """Writes training examples [start, stop) to a file as those of a split."""
    reader = dataset.open()[Split.TRAIN]
    digest = digest_of(reader.read(start, stop))
    example_gen.write_shard(reader, start, stop, digest, split, path, str(dataset.location))
