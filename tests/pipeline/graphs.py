"""What a pipeline looks like in the forms that runners make of it."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from tfx.dsl.compiler.compiler import Compiler
from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2

from pipeline.config import PipelineConfig
from pipeline.create import create_pipeline
from pipeline.kubeflow_runner import Containers, compile_pipeline, task_name
from pipeline.running import compiled

IMAGE = "registry.example:5000/team/mnist-jax:1"


@dataclasses.dataclass(frozen=True)
class Node:
    """One node: inputs are (key, producer, its output key), the executor is its class's path."""

    executor: str
    upstream: frozenset[str]
    inputs: frozenset[tuple[str, str, str]]
    outputs: frozenset[str]
    parameters: dict[str, Any]


Graph = dict[str, Node]


def intermediate_representation(config: PipelineConfig, folder: Path) -> Graph:
    """The form that LocalDagRunner runs."""
    return _graph(Compiler().compile(create_pipeline(config)))


def compiled_for_airflow(config: PipelineConfig, folder: Path) -> Graph:
    """The form that Airflow's tasks run; the DAG's edges are those of graph.json."""
    compiled.compile_pipeline(config, {}).write(folder)
    edges = compiled.read_graph(folder).nodes
    return {
        name: dataclasses.replace(node, upstream=frozenset(edges[name]))
        for name, node in _graph(compiled.read_pipeline(folder)).items()
    }


def _graph(definition: pipeline_pb2.Pipeline) -> Graph:
    graph = {}
    deployment = pipeline_pb2.IntermediateDeploymentConfig()
    definition.deployment_config.Unpack(deployment)
    for either in definition.nodes:
        node = either.pipeline_node
        values = {name: value.field_value for name, value in node.parameters.parameters.items()}
        graph[node.node_info.id] = Node(
            _executor(deployment, node.node_info.id),
            frozenset(node.upstream_nodes),
            frozenset(
                (key, channel.producer_node_query.id, channel.output_key)
                for key, spec in node.inputs.inputs.items()
                for channel in spec.channels
            ),
            frozenset(node.outputs.outputs),
            {name: getattr(value, value.WhichOneof("value")) for name, value in values.items()},
        )
    return graph


def _executor(deployment: pipeline_pb2.IntermediateDeploymentConfig, node_id: str) -> str:
    """Returns the path of an executor's class; "" for a node that has none."""
    packed = deployment.executor_specs.get(node_id)
    if packed is None:
        return ""
    on_beam = executable_spec_pb2.BeamExecutableSpec()
    if packed.Unpack(on_beam):
        return on_beam.python_executor_spec.class_path
    in_process = executable_spec_pb2.PythonClassExecutableSpec()
    assert packed.Unpack(in_process)
    return in_process.class_path


def compiled_for_kubeflow(config: PipelineConfig, folder: Path, **asked: Any) -> Path:
    """Writes the YAML."""
    pipeline = create_pipeline(config)
    return compile_pipeline(pipeline, Containers(IMAGE, **{"trainer_image": IMAGE} | asked), folder)


def kubeflow_spec(config: PipelineConfig, folder: Path) -> Graph:
    """The form that Kubeflow runs, its tasks named as our nodes."""
    names = {task_name(node.id): node.id for node in create_pipeline(config).components}
    spec = yaml.safe_load(compiled_for_kubeflow(config, folder).read_text())
    graph = {}
    for name, task in spec["root"]["dag"]["tasks"].items():
        component = spec["components"][task["componentRef"]["name"]]
        producers = {
            key: value["taskOutputArtifact"]
            for key, value in task["inputs"].get("artifacts", {}).items()
        }
        executor = spec["deploymentSpec"]["executors"][component["executorLabel"]]
        arguments = executor["container"]["args"]
        graph[names[name]] = Node(
            arguments[arguments.index("--executor_class_path") + 1],
            frozenset(names[other] for other in task.get("dependentTasks", ())),
            frozenset(
                (key, names[value["producerTask"]], value["outputArtifactKey"])
                for key, value in producers.items()
            ),
            frozenset(component.get("outputDefinitions", {}).get("artifacts", {})),
            {
                key: value["runtimeValue"]["constant"]
                for key, value in task["inputs"].get("parameters", {}).items()
            },
        )
    return graph


# Another runner is another entry. All of them are held against the first.
FORMS: dict[str, Callable[[PipelineConfig, Path], Graph]] = {
    "local": intermediate_representation,
    "airflow": compiled_for_airflow,
    "kubeflow": kubeflow_spec,
}
