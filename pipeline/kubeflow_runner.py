"""Compiles the pipeline for Kubeflow Pipelines v2 and Vertex: `make kubeflow`, or `tfx`.

Each component then runs in a container of its own, so that what is on this machine's disk, ML
Metadata's SQLite file for one, is out of their reach.
"""

import dataclasses
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import ConfigError, shown
from data.texts import check_texts, number
from pipeline.beam import engines
from pipeline.config import PipelineConfig
from pipeline.running import console
from pipeline.running.exit_status import tells_wrong_settings
from pipeline.settings import COMMAND_SETTINGS, config_from_environment
from pipeline.storage import locations, stores

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline

FOLDER, LOG_FILE = "kubeflow", "kubeflow.log"
# Of a container's own disk; gone when its task ends.
_SCRATCH = Path("/tmp/mnist-jax")
_PIPELINE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")
# [registry[:port]/]path[:tag][@digest]
_IMAGE = re.compile(
    r"([\w.-]+(:\d+)?/)?[a-z0-9][a-z0-9._-]*(/[a-z0-9._-]+)*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?",
    re.ASCII,
)
_GPU_TYPE = re.compile(r"[A-Za-z0-9][\w./-]{0,252}", re.ASCII)
_MAX_GPUS = 1024


@dataclasses.dataclass(frozen=True)
class Containers:
    """What the containers are made of, and what they ask for.

    Attributes:
      image: built from deploy/Dockerfile, with the registry's name.
      trainer_image: for the Trainer alone, such as one with CUDA.
      gpus: how many the Trainer asks for.
      gpu_type: Kubernetes' name of the resource, or Vertex's name of the accelerator.
      data_root: where they find the data set's files; "" for where this machine has them.
    """

    image: str
    trainer_image: str
    gpus: int = 0
    gpu_type: str = "nvidia.com/gpu"
    data_root: str = ""


def containers_from_environment(environment: Mapping[str, str]) -> Containers:
    """Reads IMAGE, TRAINER_IMAGE, TRAINER_GPUS, GPU_TYPE and DATA_ROOT.

    Raises:
      ConfigError: IMAGE is missing, or one of them is wrong.
    """
    check_texts(environment, COMMAND_SETTINGS)
    image = environment.get("IMAGE") or ""
    if not image:
        raise ConfigError(
            "IMAGE is not set: name the image that the containers run, as "
            "IMAGE=registry/mnist-jax:tag; deploy/Dockerfile builds it"
        )
    images = {"IMAGE": image, "TRAINER_IMAGE": environment.get("TRAINER_IMAGE") or image}
    for name, value in images.items():
        if not _IMAGE.fullmatch(value):
            raise ConfigError(
                f"{name}={shown(value)}: expected the name of an image, registry/name:tag"
            )
    gpus = number(environment, "TRAINER_GPUS", int, Containers.gpus, 0, _MAX_GPUS)
    gpu_type = environment.get("GPU_TYPE") or Containers.gpu_type
    if not _GPU_TYPE.fullmatch(gpu_type):
        raise ConfigError(f"GPU_TYPE={shown(gpu_type)}: expected a name, as nvidia.com/gpu")
    return Containers(
        *images.values(), gpus=gpus, gpu_type=gpu_type, data_root=_data_root(environment)
    )


def _data_root(environment: Mapping[str, str]) -> str:
    """Returns DATA_ROOT, which may be none of this machine's folders, or raises ConfigError."""
    root = environment.get("DATA_ROOT") or ""
    if root and not stores.is_uri(root) and not root.startswith("/"):
        raise ConfigError(f"DATA_ROOT={root}: expected a whole path or a URI, as containers see it")
    locations.check_no_pattern("DATA_ROOT", root)
    try:
        if stores.is_uri(root):
            stores.check_form(root)
    except stores.StoreError as error:
        raise ConfigError(f"DATA_ROOT={error}") from error
    return root


def config_for_containers(config: PipelineConfig, data_root: str) -> PipelineConfig:
    """Returns the config as it applies inside the containers.

    Args:
      config: of this machine.
      data_root: where containers find the data set's files; "" for where `config` has them.

    Raises:
      ConfigError: PIPELINE_ROOT is not set, so containers could not pass anything on; Kubeflow does
        not take the pipeline's name; or the model, its parameters or Beam's runner are, or need,
        what containers do not have.
    """
    if not _PIPELINE_NAME.fullmatch(config.pipeline_name):
        raise ConfigError(
            f"the pipeline is named {config.pipeline_name!r}, and Kubeflow allows lower-case "
            "letters, digits and dashes only: give it another name as PIPELINE_NAME"
        )
    if engine := engines.engine_of_job_server(config.beam_args):
        raise ConfigError(
            f"BEAM_RUNNER={engine}: the image has neither Java nor Beam's job server; expected one "
            "of in_memory, portable, dataflow"
        )
    if os.sep in config.model:
        raise ConfigError(
            f"MODEL={config.model}: the image holds the project's own files; copy yours to "
            f"modules/models/ and give its name, as MODEL={Path(config.model).stem}"
        )
    if config.params:
        raise ConfigError(
            f"PARAMS={config.params}: the containers do not have it; ship trained parameters from "
            "a run on this machine"
        )
    if not config.root:
        raise ConfigError(
            "PIPELINE_ROOT is not set: name the place that all containers reach, as "
            "PIPELINE_ROOT=gs://bucket/folder"
        )
    return dataclasses.replace(
        config,
        output=_SCRATCH if "://" in config.root else Path(config.root),
        push_to=config.push_to or config.root,
        data_uri=data_root or config.data_uri,
        metadata="",
        has_metadata_store=False,
    )


def task_name(node_id: str) -> str:
    """Returns the name of a node's task; Argo allows letters, digits and dashes only."""
    return re.sub(r"[^A-Za-z0-9]", "-", node_id)


def compile_pipeline(pipeline: "Pipeline", containers: Containers, folder: Path) -> Path:
    """Writes the pipeline in schema 2.1, as `<its name>.yaml`.

    Args:
      pipeline: of a config for containers; its nodes are renamed, see `task_name`.
      containers: for the components.
      folder: to write into; is made.
    """
    from kfp.pipeline_spec import pipeline_spec_pb2
    from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner, pipeline_builder

    from pipeline.kubeflow import entrypoint
    from pipeline.metadata.source_digest import code_digest

    path = folder / f"{pipeline.pipeline_info.pipeline_name}.yaml"
    for node in pipeline.components:
        node.with_id(task_name(node.id))
        if node.id == "Trainer" and containers.gpus:
            resources = (
                pipeline_spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec()
            )
            resources.accelerator.type = containers.gpu_type
            resources.accelerator.count = containers.gpus
            node.with_platform_config(resources)
    runner = kubeflow_v2_dag_runner.KubeflowV2DagRunner(
        kubeflow_v2_dag_runner.KubeflowV2DagRunnerConfig(
            default_image={
                pipeline_builder.DEFAULT_IMAGE_PATH_KEY: containers.image,
                "Trainer": containers.trainer_image,
            },
            default_commands=[
                "python",
                "-m",
                entrypoint.__name__,
                f"--source_digest={code_digest()}",
            ],
            use_pipeline_spec_2_1=True,
        ),
        output_dir=str(folder),
        output_filename=path.name,
    )
    path.unlink(missing_ok=True)
    runner.run(pipeline)
    if path.exists():  # `tfx pipeline create` has it written elsewhere
        # TFX leaves it out of the YAML, of which JSON is a part.
        with path.open("a") as file:
            file.write(f"defaultPipelineRoot: {json.dumps(pipeline.pipeline_info.pipeline_root)}\n")
    return path


@tells_wrong_settings
def main() -> int:
    """Compiles as the environment says; returns the exit status."""
    containers = containers_from_environment(os.environ)
    config = config_from_environment(os.environ)
    inside = config_for_containers(config, containers.data_root)
    print(f"{config.dataset.source}\nloading TFX ...", flush=True)
    with console.library_output_to(config.output / LOG_FILE):
        from pipeline.create import create_pipeline

        path = compile_pipeline(create_pipeline(inside), containers, config.output / FOLDER)
    print(f"{path}: reads its data from {inside.data_folder}, keeps artifacts in {inside.root}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
