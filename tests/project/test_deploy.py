"""What TensorFlow Serving, Kubernetes and KServe are given: it parses, and fits the rest."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)
from google.protobuf.message import Message
from kubernetes import client
from tensorflow_serving.config import model_server_config_pb2

from data.files import PROJECT_ROOT
from serve.server.model.saved_model import LARGEST_BATCH
from serve.server.settings import ServerSettings

DEPLOY = PROJECT_ROOT / "deploy"
SERVING = DEPLOY / "tensorflow-serving"
IMAGE = re.compile(r"tensorflow/serving:(\S+)")
_FIELD = descriptor_pb2.FieldDescriptorProto
# Fields of messages that the wheel `tensorflow-serving-api` leaves out, as the .proto files of
# TensorFlow Serving number them: name, type, and whether there may be several.
_INT64, _STRING = ".google.protobuf.Int64Value", ".google.protobuf.StringValue"
MISSING = {
    "BatchingParameters": (
        *(("max_batch_size", _INT64), ("batch_timeout_micros", _INT64)),
        *(("max_enqueued_batches", _INT64), ("num_batch_threads", _INT64)),
        *(("thread_pool_name", _STRING), ("allowed_batch_sizes", [_FIELD.TYPE_INT64])),
        ("pad_variable_length_inputs", _FIELD.TYPE_BOOL),
    ),
    "PrometheusConfig": (("enable", _FIELD.TYPE_BOOL), ("path", _FIELD.TYPE_STRING)),
    "MonitoringConfig": (("prometheus_config", ".tensorflow.serving.PrometheusConfig"),),
}


@pytest.fixture(scope="module")
def messages() -> dict[str, type[Message]]:
    """The classes of MISSING."""
    file = descriptor_pb2.FileDescriptorProto(
        name="missing.proto",
        package="tensorflow.serving",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    for name, fields in MISSING.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields, 1):
            added = message.field.add(name=field, number=number, label=_FIELD.LABEL_OPTIONAL)
            if isinstance(kind, str):
                added.type, added.type_name = _FIELD.TYPE_MESSAGE, kind
            elif isinstance(kind, list):
                [added.type], added.label = kind, _FIELD.LABEL_REPEATED
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"tensorflow.serving.{name}")
        )
        for name in MISSING
    }


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


def typed(content: Any, kind: str) -> Any:
    """What Kubernetes's own client makes of a manifest; every name in it has to be known."""
    if kind.startswith(("list[", "dict(")):
        inner = re.split(r"[\[(]|, ", kind[:-1])[-1]
        for value in content if kind.startswith("list") else content.values():
            typed(value, inner)
    elif model := getattr(client, kind, None):
        names = {json: field for field, json in model.attribute_map.items()}
        assert content.keys() <= names.keys(), (kind, content.keys() - names.keys())
        for name, value in content.items():
            typed(value, model.openapi_types[names[name]])
        given = {names[name]: value for name, value in content.items()}
        return model(**given)  # raises ValueError where one is missing
    return content


def test_the_models_are_those_that_the_pipeline_pushes() -> None:
    config = text_format.Parse(
        (SERVING / "models.config").read_text(), model_server_config_pb2.ModelServerConfig()
    )
    [model] = config.model_config_list.config
    assert (model.name, model.base_path) == ("mnist", "/models/serving")
    assert model.model_platform == "tensorflow"
    assert model.model_version_policy.latest.num_versions == 1


def test_batches_are_of_the_sizes_that_the_model_compiles_for(
    messages: dict[str, type[Message]],
) -> None:
    text = (SERVING / "batching.config").read_text()
    batching = text_format.Parse(text, messages["BatchingParameters"]())
    sizes = list(batching.allowed_batch_sizes)
    assert sizes == [2**power for power in range(len(sizes))]
    assert sizes[-1] == batching.max_batch_size.value == LARGEST_BATCH
    assert batching.num_batch_threads.value >= 1
    monitoring = text_format.Parse(
        (SERVING / "monitoring.config").read_text(), messages["MonitoringConfig"]()
    )
    assert monitoring.prometheus_config.enable
    [deployment, _] = documents(SERVING / "kubernetes.yaml")
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] == monitoring.prometheus_config.path
    with pytest.raises(text_format.ParseError):
        text_format.Parse(
            text.replace("max_batch_size", "max_batch"), messages["BatchingParameters"]()
        )


def test_tensorflow_serving_is_of_the_release_of_its_api() -> None:
    lock = (PROJECT_ROOT / "requirements" / "lock.txt").read_text()
    [locked] = re.findall(r"^tensorflow-serving-api==(\S+)", lock, re.MULTILINE)
    files = [SERVING / "compose.yaml", SERVING / "kubernetes.yaml"]
    assert [IMAGE.findall(file.read_text()) for file in files] == [[locked]] * 2


def test_compose_serves_on_loopback_what_a_run_pushed() -> None:
    [compose] = documents(SERVING / "compose.yaml")
    [service] = compose["services"].values()
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    mounts = dict(volume.split(":")[:2] for volume in service["volumes"])
    assert mounts == {".": "/config", "../../output/mnist/serving": "/models/serving"}
    _check_arguments(service["command"], {"8500", "8501"})
    assert service["user"] == "1000" and service["cap_drop"] == ["ALL"]


def _check_arguments(arguments: list[str], ports: set[str]) -> None:
    given = dict(argument.removeprefix("--").partition("=")[::2] for argument in arguments)
    assert {given["port"], given["rest_api_port"]} == ports
    files = [value for name, value in given.items() if name.endswith("_file")]
    assert len(files) == 3
    assert all((SERVING / value.removeprefix("/config/")).is_file() for value in files)
    assert "enable_batching" in given


def test_kubernetes_knows_every_name_and_the_parts_fit() -> None:
    [deployment, service] = documents(SERVING / "kubernetes.yaml")
    pod = typed(deployment, "V1Deployment").spec["template"]
    typed(service, "V1Service")
    assert pod["metadata"]["labels"] == service["spec"]["selector"]
    assert deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"]
    [container] = pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {port["targetPort"]: port["port"] for port in service["spec"]["ports"]} == ports
    _check_arguments(container["args"], {str(port) for port in ports.values()})
    assert container["readinessProbe"]["httpGet"]["path"] == "/v1/models/mnist"
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        volume["name"] for volume in pod["spec"]["volumes"]
    }
    [kustomization] = documents(SERVING / "kustomization.yaml")
    [generated] = kustomization["configMapGenerator"]
    maps = [
        volume["configMap"]["name"] for volume in pod["spec"]["volumes"] if "configMap" in volume
    ]
    assert maps == [generated["name"]]
    assert all(
        (SERVING / file).is_file() for file in generated["files"] + kustomization["resources"]
    )
    assert len(generated["files"]) == 3


def test_a_name_that_kubernetes_does_not_know_is_found() -> None:
    [deployment, _] = documents(SERVING / "kubernetes.yaml")
    deployment["spec"]["template"]["spec"]["containers"][0]["portz"] = []
    with pytest.raises(AssertionError, match="portz"):
        typed(deployment, "V1Deployment")


def test_kserve_runs_the_server_of_this_project() -> None:
    [service] = documents(DEPLOY / "kserve" / "inference-service.yaml")
    assert (service["apiVersion"], service["kind"]) == (
        *("serving.kserve.io/v1beta1", "InferenceService"),
    )
    predictor = dict(service["spec"]["predictor"])
    for name in ("minReplicas", "timeout"):  # KServe's own; the rest is a pod's
        predictor.pop(name)
    pod = typed(predictor, "V1PodSpec")
    [container] = pod.containers
    default = ServerSettings("", "")
    assert [port["containerPort"] for port in container["ports"]] == [default.port]
    probes = [container[name]["httpGet"] for name in ("readinessProbe", "livenessProbe")]
    assert [probe["path"] for probe in probes] == ["/v2/health/ready", "/v2/health/live"]
    assert {probe["port"] for probe in probes} == {default.port}
    dockerfile = (DEPLOY / "serve.Dockerfile").read_text()
    for variable in container["env"]:
        assert f"{variable['name']}={variable['value']}" in dockerfile
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounted == {"models": "/models"} and container["name"] == "kserve-container"
    assert [volume["name"] for volume in pod.volumes] == ["models"]
