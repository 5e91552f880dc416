"""PARAMS: parameters of every form, for networks of every kind, or a sentence about them."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from flax import serialization
from orbax import checkpoint as ocp

from data.errors import ConfigError
from modules.models.leaves import named_leaves
from modules.training.saved.trained_parameters import Trained, read_trained
from modules.training.saved.variables import save_variables
from tests.modules.models.networks import network

LINEN = network("linen")


def write_npz(path: Path, tree: object) -> Path:
    np.savez(path.with_suffix(".npz"), **dict(named_leaves(tree)))
    return path.with_suffix(".npz")


def write_msgpack(path: Path, tree: object) -> Path:
    path.with_suffix(".msgpack").write_bytes(serialization.to_bytes(tree))
    return path.with_suffix(".msgpack")


def write_ours(path: Path, tree: object) -> Path:
    save_variables(path, tree)
    return path


def write_orbax(path: Path, tree: object) -> Path:
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(path, jax.tree.map(jnp.asarray, tree))
    return path


def write_safetensors(path: Path, tree: object) -> Path:
    save_file = pytest.importorskip("safetensors.numpy").save_file
    named = {name.replace("/", "."): np.asarray(leaf) for name, leaf in named_leaves(tree)}
    save_file(named, path.with_suffix(".safetensors"))
    return path.with_suffix(".safetensors")


WRITERS = [write_npz, write_msgpack, write_ours, write_orbax, write_safetensors]


def assert_same_bits(found: Trained, expected: object) -> None:
    assert found.notes == ()
    assert jax.tree.structure(found.variables) == jax.tree.structure(expected)
    for ours, theirs in zip(
        jax.tree.leaves(found.variables), jax.tree.leaves(expected), strict=True
    ):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("name", ["linen", "nnx", "pure"])
def test_every_form_gives_the_same_bits(tmp_path: Path, write: Callable, name: str) -> None:
    variables = jax.device_get(network(name).init(5))
    assert_same_bits(
        read_trained(write(tmp_path / "p", variables), network(name).shapes()), variables
    )


@pytest.mark.parametrize("write", [write_msgpack, write_ours, write_orbax, write_safetensors])
def test_narrow_types_come_through(tmp_path: Path, write: Callable) -> None:
    own = network("bfloat16 parameters")
    variables = jax.device_get(own.init(5))
    assert variables["params"]["Dense_0"]["bias"].dtype == ml_dtypes.bfloat16
    assert_same_bits(read_trained(write(tmp_path / "p", variables), own.shapes()), variables)


@pytest.mark.parametrize("write", WRITERS)
def test_the_name_of_the_collection_may_be_left_out(tmp_path: Path, write: Callable) -> None:
    own = network("bfloat16")  # without state
    variables = jax.device_get(own.init(5))
    assert_same_bits(
        read_trained(write(tmp_path / "p", variables["params"]), own.shapes()), variables
    )


def test_parameters_and_statistics_may_be_in_one_tree_as_nnx_has_them(tmp_path: Path) -> None:
    own = network("nnx")
    variables = jax.device_get(own.init(5))
    merged = {name.partition("/")[2] + "/value": leaf for name, leaf in named_leaves(variables)}
    np.savez(tmp_path / "p.npz", **{name.removesuffix("/value"): x for name, x in merged.items()})
    assert_same_bits(read_trained(tmp_path / "p.npz", own.shapes()), variables)
    (tmp_path / "p.msgpack").write_bytes(serialization.msgpack_serialize(merged))
    assert_same_bits(read_trained(tmp_path / "p.msgpack", own.shapes()), variables)


def named(**changes: np.ndarray | None) -> dict[str, np.ndarray]:
    """Returns the network's arrays by name with changes; None leaves one out."""
    arrays = {**dict(named_leaves(jax.device_get(LINEN.init(0)))), **changes}
    return {name: array for name, array in arrays.items() if array is not None}


def problem(tmp_path: Path, arrays: dict[str, np.ndarray]) -> str:
    np.savez(tmp_path / "p.npz", **arrays)
    with pytest.raises(ConfigError) as told:
        read_trained(tmp_path / "p.npz", LINEN.shapes())
    start = f"PARAMS: {tmp_path}/p.npz does not fit the model: "
    assert str(told.value).startswith(start) and "\n" not in str(told.value)
    return str(told.value).removeprefix(start).removesuffix("; give the MODEL that was trained")


BIAS, MEAN = "params/head/out/bias", "batch_stats/BatchNorm_0/mean"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({BIAS: None}, f"missing {BIAS}"),
        ({MEAN: None, "params/more": np.ones(1)}, f"missing {MEAN}; unexpected params/more"),
        ({BIAS: np.ones((1, 3), np.float32)}, f"{BIAS} is [1, 3], expected [3]"),
        ({BIAS: np.ones(3, np.int32)}, f"{BIAS} is int32, expected float32"),
        ({BIAS: np.full(3, np.nan, np.float32)}, f"{BIAS} is not finite"),
    ],
)
def test_each_array_that_does_not_fit_is_named(
    tmp_path: Path, changes: dict, expected: str
) -> None:
    assert problem(tmp_path, named(**changes)) == expected


def test_of_another_network_not_all_is_listed(tmp_path: Path) -> None:
    found = problem(tmp_path, {f"layer{number}": np.ones(1) for number in range(9)})
    assert "missing batch_stats/BatchNorm_0/mean" in found and "and 3 more" in found
    assert "unexpected layer0, layer1, layer2, layer3, layer4 and 4 more" in found


def test_without_the_collections_name_the_state_must_be_there(tmp_path: Path) -> None:
    bare = {name.removeprefix("params/"): leaf for name, leaf in named().items()}
    np.savez(tmp_path / "p.npz", **bare)
    assert read_trained(tmp_path / "p.npz", LINEN.shapes()).notes == ()
    params = {name: leaf for name, leaf in bare.items() if not name.startswith("batch_stats")}
    assert problem(tmp_path, params) == f"missing {MEAN}, batch_stats/BatchNorm_0/var"


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_other_floats_are_converted_which_is_said(tmp_path: Path, dtype: type) -> None:
    arrays = named()
    np.savez(tmp_path / "p.npz", **{name: leaf.astype(dtype) for name, leaf in arrays.items()})
    found = read_trained(tmp_path / "p.npz", LINEN.shapes())
    changed = f"{np.dtype(dtype)} to float32"
    assert found.notes == (
        f"{len(arrays)} of the arrays in {tmp_path}/p.npz were converted from {changed}",
    )
    for name, leaf in named_leaves(found.variables):
        assert leaf.dtype == np.float32
        np.testing.assert_allclose(leaf, arrays[name], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("p.npz", r"cannot be read as \.npz: \w+: .+"),
        ("p.msgpack", r"cannot be read as \.msgpack: \w+: .+"),
        (
            "p.h5",
            r"ends in '\.h5'; expected \.npz, \.safetensors, \.msgpack of Flax, or a folder .+",
        ),
        ("p", r"ends in ''; expected .+"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / name).write_bytes(b"abc" * 20)
    with pytest.raises(ConfigError) as told:
        read_trained(tmp_path / name, LINEN.shapes())
    assert re.fullmatch(rf"PARAMS: {tmp_path}/{name} {expected}", str(told.value))


def test_a_folder_without_orbax_and_a_path_without_anything_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read as a folder of Orbax: "):
        read_trained(tmp_path, LINEN.shapes())
    with pytest.raises(ConfigError, match=r"nothing does not exist; expected \.npz"):
        read_trained(tmp_path / "nothing", LINEN.shapes())
    np.savez(tmp_path / "empty.npz")
    with pytest.raises(ConfigError, match=r"empty\.npz holds no arrays"):
        read_trained(tmp_path / "empty.npz", LINEN.shapes())


def test_without_the_package_safetensors_the_way_out_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    (tmp_path / "p.safetensors").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"needs the package safetensors; install it, or save"):
        read_trained(tmp_path / "p.safetensors", LINEN.shapes())


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", a=np.array([object()]))
    with pytest.raises(ConfigError, match=r"cannot be read as \.npz"):
        read_trained(tmp_path / "p.npz", LINEN.shapes())
