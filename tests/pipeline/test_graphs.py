"""One `create_pipeline` for all runners: what each makes of it is the same graph."""

import dataclasses
from pathlib import Path

import pytest

from data.finding.opening import open_data
from data.forms.idx_names import FILE_NAMES
from pipeline.config import PipelineConfig
from pipeline.kubeflow_runner import config_for_containers
from tests.pipeline.graphs import FORMS, Node
from tests.support.digit_models import DigitModels

LOCAL, *OTHERS = FORMS


@pytest.fixture(scope="module")
def config(digit_models: DigitModels, tmp_path_factory: pytest.TempPathFactory) -> PipelineConfig:
    """With every kind of node."""
    output = tmp_path_factory.mktemp("output")
    return PipelineConfig(digit_models.files, output, root="gs://bucket/mnist", tuner_trials=2)


@pytest.fixture(scope="module")
def inside(config: PipelineConfig) -> PipelineConfig:
    return config_for_containers(config, "gs://bucket/data")


@pytest.mark.parametrize("runner", OTHERS)
def test_every_runner_has_the_same_graph(
    inside: PipelineConfig, tmp_path: Path, runner: str
) -> None:
    expected, found = FORMS[LOCAL](inside, tmp_path), FORMS[runner](inside, tmp_path)
    assert found.keys() == expected.keys() and len(expected) == 23
    for name, node in expected.items():
        assert found[name] == node, name


def without(node: Node, *inputs: str) -> frozenset[tuple[str, str, str]]:
    return frozenset(entry for entry in node.inputs if entry[0] not in inputs)


def test_containers_change_only_what_they_cannot_reach(
    config: PipelineConfig, inside: PipelineConfig, tmp_path: Path
) -> None:
    before, after = (FORMS[LOCAL](either, tmp_path) for either in (config, inside))
    assert before.keys() - after.keys() == {"LastBlessedModel"}
    assert after.keys() <= before.keys()
    changed = {}
    for name, node in after.items():
        assert node.inputs == without(before[name], "baseline_model")
        assert node.outputs == before[name].outputs
        assert node.executor == before[name].executor != ""
        assert node.upstream == before[name].upstream - {"LastBlessedModel"}
        if parameters := {
            key for key, value in before[name].parameters.items() if node.parameters[key] != value
        }:
            changed[name] = parameters
    assert changed == {
        "FileBasedExampleGen": {"input_base"},
        "Pusher": {"push_destination"},
        "Pusher.device": {"push_destination"},
        "Report": {"metadata_location", "graph"},
    }
    assert after["FileBasedExampleGen"].parameters["input_base"] == "gs://bucket/data"
    assert after["Report"].parameters["metadata_location"] == ""
    assert "gs://bucket/mnist/device" in after["Pusher.device"].parameters["push_destination"]


def test_other_data_in_the_same_place_is_noticed(inside: PipelineConfig, tmp_path: Path) -> None:
    """Open source Kubeflow does not look at the files before it looks into its cache."""
    before = FORMS[LOCAL](inside, tmp_path)["FileBasedExampleGen"].parameters["custom_config"]
    labels = inside.dataset.location / FILE_NAMES[3]
    original = labels.read_bytes()
    try:
        labels.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
        checked = dataclasses.replace(inside, dataset=open_data(labels.parent))
        after = FORMS[LOCAL](checked, tmp_path)["FileBasedExampleGen"].parameters["custom_config"]
    finally:
        labels.write_bytes(original)
    assert before != after
