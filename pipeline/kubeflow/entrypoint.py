"""What Kubeflow's containers run: TFX's own entrypoint, told what Kubeflow leaves out."""

import argparse

from absl import app
from absl.flags import argparse_flags
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.orchestration.kubeflow.v2.compiler_utils import TITLE_TO_CLASS_PATH
from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor
from tfx.utils import name_utils

from pipeline.components.artifacts import (
    ComparisonReport,
    ModelComparison,
    PersonalEvaluation,
    RuntimeAnswers,
)
from pipeline.metadata.source_digest import code_digest
from pipeline.storage import tfx_plugin  # noqa: F401 - what TFX itself reads and writes may be in an object store


class StaleImageError(RuntimeError):
    """The image does not hold the code that the pipeline was compiled with."""


def check_sources(compiled: str) -> None:
    """Compares the code in this container with the one that the pipeline was compiled with.

    Otherwise results of the image's older code would go into the cache as the newer one's.

    Args:
      compiled: the digest of the code when the pipeline was compiled.

    Raises:
      StaleImageError: they differ.
    """
    if code_digest() != compiled:
        raise StaleImageError(
            "the image does not hold the code that the pipeline was compiled with: build and push "
            "it under a new tag, and compile with that tag as IMAGE"
        )


def with_types(invocation: str, inputs_spec: str) -> str:
    """Gives input artifacts their type where there is none, as TFX needs it and Vertex does it.

    Args:
      invocation: an ExecutorInput as JSON.
      inputs_spec: the component's ComponentInputsSpec as JSON.
    """
    executor_input = json_format.Parse(
        invocation, pipeline_spec_pb2.ExecutorInput(), ignore_unknown_fields=True
    )
    spec = json_format.Parse(inputs_spec, pipeline_spec_pb2.ComponentInputsSpec())
    for name, artifacts in executor_input.inputs.artifacts.items():
        for artifact in artifacts.artifacts:
            if not artifact.type.WhichOneof("kind"):
                artifact.type.CopyFrom(spec.artifacts[name].artifact_type)
    return json_format.MessageToJson(executor_input)


def main(parsed: tuple[argparse.Namespace, list[str]]) -> None:
    """Runs an executor; see TFX's `kubeflow_v2_run_executor`."""
    arguments, beam_arguments = parsed
    check_sources(arguments.source_digest)
    TITLE_TO_CLASS_PATH.update(
        {
            kind.TYPE_NAME: name_utils.get_full_name(kind)
            for kind in (ComparisonReport, ModelComparison, PersonalEvaluation, RuntimeAnswers)
        }
    )
    arguments.json_serialized_invocation_args = with_types(
        arguments.json_serialized_invocation_args, arguments.json_serialized_inputs_spec_args
    )
    kubeflow_v2_run_executor.main((arguments, beam_arguments))


def _parse(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse_flags.ArgumentParser()
    for name in (
        "source_digest",
        "executor_class_path",
        "json_serialized_invocation_args",
        "json_serialized_inputs_spec_args",
    ):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_known_args(argv[1:])


if __name__ == "__main__":
    app.run(main, flags_parser=_parse)
