"""What is known of device models, and how it is told."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from modules.export import facts
from modules.export.facts import Baseline, Facts
from modules.export.graph import flatbuffer
from modules.export.recipes import RECIPES
from modules.inference import delegation, litert
from tests.support.digit_models import DigitModels
from tests.support.networks import NETWORKS
from tests.support.networks.exports import Exports


def test_baseline_counts_the_networks_own_float32_model(digit_models: DigitModels) -> None:
    baseline = facts.baseline_of(digit_models.tflite_paths["float32"])
    assert baseline.operators == 10
    assert baseline.weights == 824_458 + 2  # Transform's mean and deviation
    assert baseline.large_kernels == 64 * 288 + 256 * 3136 + 10 * 256
    size = Path(digit_models.tflite_paths["float32"]).stat().st_size
    assert baseline.overhead_bytes == size - 4 * baseline.weights


@pytest.mark.parametrize(("name", "weight_bytes"), [("float32", 4), ("float16", 2), ("int8", 1)])
def test_expected_bytes_of_large_kernels_are_the_recipes(name: str, weight_bytes: int) -> None:
    baseline = Baseline(operators=3, weights=5000, large_kernels=4000, overhead_bytes=900)
    assert baseline.expected_bytes(RECIPES[name]) == 4000 + weight_bytes * 4000


@pytest.mark.parametrize("name", RECIPES)
def test_the_default_network_runs_in_xnnpack_alone(digit_models: DigitModels, name: str) -> None:
    found = digit_models.converted[name].facts
    assert (dict(found.undelegated), dict(found.kept_in_float)) == ({}, {})
    assert not found.fixed_batch
    without = litert.make_interpreter(digit_models.tflite_paths[name], xnnpack=False)
    operators = flatbuffer.operators(digit_models.tflite_paths[name])
    assert delegation.undelegated(without).keys() == set(operators)
    assert sum(map(len, delegation.undelegated(without).values())) == len(operators)


def test_operators_come_with_their_layers(exports: Exports, tmp_path: Path) -> None:
    found = exports.convert(exports.trained(NETWORKS["embedded grey levels"]), tmp_path)["float32"]
    assert found.undelegated["GATHER_ND"] == ("Embed_0/gather_nd",)
    assert "GATHER_ND in Embed_0" in facts.described(found.undelegated)


@pytest.mark.parametrize(
    ("name", "operator", "layer"),
    [
        ("LayerNorm_0/rsqrt", "RSQRT", "LayerNorm_0"),
        ("Block_1/LayerNorm_0/rsqrt_2", "RSQRT", "Block_1/LayerNorm_0"),
        ("Conv_0", "CONV_2D", "Conv_0"),
        ("rsqrt", "RSQRT", ""),
    ],
)
def test_layer_of_a_tensor(name: str, operator: str, layer: str) -> None:
    assert facts.layer_of(name, operator) == layer


def test_description_names_each_layer_once() -> None:
    layers = {"MUL": ("a/mul", "a/mul_1", "b/mul"), "EXP": ("exp",)}
    assert facts.described(layers) == "MUL in a, b; EXP"


def test_facts_survive_a_text() -> None:
    baseline = Baseline(operators=3, weights=5000, large_kernels=4000, overhead_bytes=900)
    known = Facts(7, {"EXP": ("a", "b")}, {}, True, baseline)
    assert Facts.from_json(json.loads(json.dumps(dataclasses.asdict(known)))) == known


def test_depthwise_convolutions_keep_the_weights_of_float32(
    exports: Exports, tmp_path: Path
) -> None:
    exports.convert(exports.trained(NETWORKS["wide first layer"]), tmp_path)
    kernels = []
    for recipe in ("float32", "dynamic_range"):
        model = flatbuffer.read_model(f"{tmp_path}/{recipe}/tflite")
        [kernel] = [t for t in model.subgraphs[0].tensors if t.name == b"Conv_0/kernel"]
        kernels.append(np.asarray(model.buffers[kernel.buffer].data).tobytes())
        assert kernel.quantization is None or kernel.quantization.scale is None
    assert kernels[0] == kernels[1]
    weights = facts.kernel_weights(f"{tmp_path}/dynamic_range/tflite")
    assert list(weights) == [flatbuffer.schema.TensorType.INT8]
