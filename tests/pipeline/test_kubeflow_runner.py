"""Settings of the compilation, and what Kubeflow and Vertex make of its result."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kfp.components
import pytest
import yaml
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform import PipelineJob

from data.errors import WRONG_SETTING, ConfigError
from data.files import PROJECT_ROOT
from pipeline.config import PipelineConfig
from pipeline.kubeflow_runner import (
    Containers,
    config_for_containers,
    containers_from_environment,
    task_name,
)
from tests.e2e.support.harness import environment
from tests.pipeline.graphs import IMAGE, compiled_for_kubeflow
from tests.support.digit_models import DigitModels

ROOT = "gs://bucket/mnist"


@pytest.fixture(scope="module")
def inside(digit_models: DigitModels, tmp_path_factory: pytest.TempPathFactory) -> PipelineConfig:
    config = PipelineConfig(digit_models.files, tmp_path_factory.mktemp("output"), root=ROOT)
    return config_for_containers(config, "gs://bucket/data")


@pytest.fixture(scope="module")
def compiled(inside: PipelineConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled_for_kubeflow(inside, tmp_path_factory.mktemp("kubeflow"))


def executors(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text())["deploymentSpec"]["executors"]


def test_without_an_image_there_is_one_error_before_any_work(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.kubeflow_runner"],
        cwd=PROJECT_ROOT,
        env=environment(DATASET="digits", OUTPUT=tmp_path / "output") | {"IMAGE": ""},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (WRONG_SETTING, "")
    assert done.stderr.startswith("error: IMAGE is not set") and done.stderr.count("\n") == 1
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"IMAGE": "two words"},
        {"IMAGE": "Registry/Upper"},
        {"IMAGE": "name:tag:tag"},
        {"IMAGE": IMAGE, "TRAINER_IMAGE": "name:"},
        {"IMAGE": IMAGE, "TRAINER_GPUS": "-1"},
        {"IMAGE": IMAGE, "TRAINER_GPUS": "some"},
    ],
)
def test_wrong_settings_are_named(settings: dict[str, str]) -> None:
    name, value = list(settings.items())[-1]
    with pytest.raises(ConfigError, match=re.escape(f"{name}={value}: expected")):
        containers_from_environment(settings)


@pytest.mark.parametrize(
    "image", ["mnist", IMAGE, "ghcr.io/a/b:V1.0-rc", f"eu.gcr.io/a/b@sha256:{'0' * 64}"]
)
def test_defaults_of_the_containers(image: str) -> None:
    expected = Containers(image, trainer_image=image, gpus=0, gpu_type="nvidia.com/gpu")
    empty = dict.fromkeys(("TRAINER_IMAGE", "TRAINER_GPUS", "GPU_TYPE"), "")
    assert containers_from_environment({"IMAGE": image} | empty) == expected


def test_a_place_that_containers_share_is_needed(inside: PipelineConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="PIPELINE_ROOT is not set"):
        config_for_containers(PipelineConfig(inside.dataset, tmp_path), "")


@pytest.mark.parametrize("engine", ["flink", "spark"])
def test_job_servers_are_not_in_the_image(inside: PipelineConfig, engine: str) -> None:
    beam_args = (f"--{engine}_job_server_jar=/here/server.jar",)
    with pytest.raises(ConfigError, match=f"^BEAM_RUNNER={engine}: the image has neither Java"):
        config_for_containers(dataclasses.replace(inside, beam_args=beam_args), "")


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({"model": "/here/net.py"}, "^MODEL=/here/net.py: the image .* as MODEL=net$"),
        ({"params": "/here/params"}, "^PARAMS=/here/params: the containers do not have it"),
    ],
)
def test_files_of_this_machine_are_not_in_the_image(
    inside: PipelineConfig, given: dict[str, str], advice: str
) -> None:
    with pytest.raises(ConfigError, match=advice):
        config_for_containers(dataclasses.replace(inside, **given), "")


@pytest.mark.parametrize("name", ["My_Data", "my data", "a" * 129])
def test_name_has_to_be_one_for_kubeflow(inside: PipelineConfig, name: str) -> None:
    with pytest.raises(ConfigError, match=f"is named '{name}', .* another name as PIPELINE_NAME"):
        config_for_containers(dataclasses.replace(inside, name=name), "")


def test_compiled_again_it_has_one_root(inside: PipelineConfig, tmp_path: Path) -> None:
    first, second = (compiled_for_kubeflow(inside, tmp_path).read_text() for _ in range(2))
    assert first == second and first.count("defaultPipelineRoot") == 1


def test_containers_write_below_the_pipeline_root_or_push_where_asked(
    inside: PipelineConfig, tmp_path: Path
) -> None:
    assert inside.serving_dir == f"{ROOT}/serving" and inside.device_dir == f"{ROOT}/device"
    assert not inside.output.is_relative_to(PROJECT_ROOT)
    shared = PipelineConfig(inside.dataset, tmp_path, root="/mnt/shared", push_to="gs://models")
    found = config_for_containers(shared, "")
    assert (found.output, found.device_dir) == (Path("/mnt/shared"), "gs://models/device")


@pytest.mark.parametrize(
    ("node", "task"), [("Trainer", "Trainer"), ("Evaluator.int8_io", "Evaluator-int8-io")]
)
def test_tasks_are_named_as_argo_allows(node: str, task: str) -> None:
    assert task_name(node) == task


def test_kfp_loads_it(compiled: Path) -> None:
    loaded = kfp.components.load_component_from_file(str(compiled))
    assert loaded.name == "mnist-jax-digits"
    assert len(loaded.pipeline_spec.root.dag.tasks) == 22
    assert loaded.pipeline_spec.schema_version == "2.1.0"
    assert loaded.pipeline_spec.default_pipeline_root == ROOT
    # Open source Kubeflow runs containers only.
    assert all("container" in executor for executor in executors(compiled).values())


def test_vertex_takes_it(compiled: Path) -> None:
    job = PipelineJob(
        display_name="mnist",
        template_path=str(compiled),
        project="project",
        location="europe-west4",
        credentials=AnonymousCredentials(),
    )
    made = job.to_dict()
    assert made["runtimeConfig"]["gcsOutputDirectory"] == ROOT
    assert set(made["pipelineSpec"]["root"]["dag"]["tasks"]) >= {"Trainer", "Pusher-device"}


def test_gpus_and_their_image_are_the_trainers_alone(
    inside: PipelineConfig, compiled: Path, tmp_path: Path
) -> None:
    asked = {"trainer_image": "with-cuda:1", "gpus": 2, "gpu_type": "NVIDIA_L4"}
    containers = {
        name: executor["container"]
        for name, executor in executors(compiled_for_kubeflow(inside, tmp_path, **asked)).items()
    }
    trainer = containers.pop("Trainer_executor")
    assert trainer["resources"] == {"accelerator": {"count": "2", "type": "NVIDIA_L4"}}
    assert trainer["image"] == "with-cuda:1"
    others = {"container": containers["Evaluator_executor"]}
    assert others == executors(compiled)["Evaluator_executor"]
    assert {container["image"] for container in containers.values()} == {IMAGE}
    assert not any("resources" in container for container in containers.values())
    assert "resources" not in executors(compiled)["Trainer_executor"]["container"]
