"""Variables on the disk: the same bits, or a word about what is different."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modules.models.leaves import named_leaves
from modules.training.saved import variables as own
from tests.modules.models.networks import MODELS, network

TREE = {
    "a/b.c": [jnp.arange(3, dtype=jnp.bfloat16), {7: jnp.float16(0.1), 2: np.zeros((2, 1))}],
    "x.y": (np.int32(4), np.array([True, False]), jnp.float8_e4m3fn(2)),
}


def assert_same_bits(found: object, expected: object) -> None:
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert isinstance(ours, np.ndarray)
        theirs = np.asarray(theirs)
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
        assert ours.tobytes() == theirs.tobytes()


def shapes(tree: object) -> object:
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), tree)


def test_any_tree_comes_back(tmp_path: Path) -> None:
    own.save_variables(tmp_path, TREE)
    assert [path.name for path in tmp_path.iterdir()] == ["variables"]
    assert_same_bits(own.load_variables(tmp_path, shapes(TREE)), TREE)


@pytest.mark.parametrize("name", MODELS)
def test_the_variables_of_every_kind_of_network_come_back(tmp_path: Path, name: str) -> None:
    variables = network(name).init(3)
    own.save_variables(tmp_path, variables)
    assert_same_bits(own.load_variables(tmp_path, network(name).shapes()), variables)


def test_what_is_there_is_not_replaced(tmp_path: Path) -> None:
    own.save_variables(tmp_path, {"a": np.ones(2)})
    with pytest.raises(ValueError, match="already exists"):
        own.save_variables(tmp_path, {"a": np.zeros(2)})
    assert_same_bits(own.load_variables(tmp_path, {"a": np.zeros(2)}), {"a": np.ones(2)})


@pytest.mark.parametrize(
    ("like", "expected"),
    [
        ({"a": np.ones(2)}, "b/0 is not expected"),
        ({"a": np.ones(2), "b": [np.ones(1)], "c": np.ones(1)}, "c is missing"),
        ({"a": np.ones(3), "b": [np.ones(1)]}, r"a is float64\[2\], expected float64\[3\]"),
        (
            {"a": np.ones(2), "b": [np.ones(1, np.float32)]},
            r"b/0 is float64\[1\], expected float32\[1\]",
        ),
    ],
)
def test_another_tree_is_told_by_its_leaves(tmp_path: Path, like: dict, expected: str) -> None:
    own.save_variables(tmp_path, {"a": np.ones(2), "b": [np.ones(1)]})
    with pytest.raises(own.VariablesError, match=f"{tmp_path} does not hold the .*: .*{expected}"):
        own.load_variables(tmp_path, like)


def test_they_are_read_by_name_without_a_model(tmp_path: Path) -> None:
    own.save_variables(tmp_path, TREE)
    for folder in (tmp_path, tmp_path / own.NAME):
        assert own.holds_variables(folder)
        found = own.named_arrays(folder)
        assert list(found) == [name for name, _ in named_leaves(TREE)]
        assert found["a/b.c/1/7"] == np.float16(0.1)
    assert not own.holds_variables(tmp_path.parent)
