"""ExampleGen's executor, run by itself."""

from collections.abc import Sequence
from pathlib import Path

from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types.standard_artifacts import Examples

from data import dataset
from pipeline.components import example_gen
from pipeline.config import IN_MEMORY


def generate(folder: Path, output: Path, digests: Sequence[str] | None = None) -> Examples:
    """Runs the component's executor with what the component hands to it."""
    digests = digests or dataset.open_folder(folder).digests
    component = example_gen.idx_example_gen(str(folder), digests)
    artifact = Examples()
    artifact.uri = str(output)
    executor = component.executor_spec.executor_class(
        BaseBeamExecutor.Context(beam_pipeline_args=list(IN_MEMORY), tmp_dir=str(output / "tmp"))
    )
    executor.Do({}, {"examples": [artifact]}, dict(component.exec_properties))
    return artifact
