"""Why a network cannot be converted, in one sentence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from modules.export import refusals


class Ranks(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return jnp.sort(nn.Dense(4)(x), axis=1)


class Network(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = jax.jit(lambda x: x.astype(jnp.int32) & 3)(Ranks(name="ranks")(x))
        return nn.Dense(2)(x.astype(jnp.float32))


@pytest.fixture(scope="module")
def traced() -> jax.extend.core.ClosedJaxpr:
    variables = Network().init(jax.random.key(0), np.ones((1, 3)))
    return jax.make_jaxpr(Network().apply)(variables, np.ones((1, 3)))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            "Could not translate MLIR to FlatBuffer./home/me/net.py:19:17: error: 'vhlo.sort_v1' "
            "op is not part of the vhlo support yet.\n   jnp.sort(x)\n",
            "TFLite has no operator for `sort`, which the layer Network/ranks needs (net.py, line "
            "19); take the largest, the smallest or the mean instead of sorted values",
        ),
        (
            "a.py:3:1: error: 'tf.BitwiseAnd' op is neither a custom op nor a flex op\n",
            "TFLite has no operator for `and`, which the layer Network needs (a.py, line 3); write "
            "it with comparisons of floats, or with `jnp.logical_and` of booleans",
        ),
        (
            "error: failed to legalize operation 'tfl.right_shift' that was explicitly marked",
            "TFLite has no operator for `shift_right_logical`; draw random numbers in `init` and "
            "keep them among the variables",
        ),
        (
            "only some scatters are supported.Node number 1 (STABLEHLO_SCATTER) failed to prepare.",
            "TFLite has no operator for `scatter`; add a constant mask times the values, instead "
            "of `.at[...]`",
        ),
        (
            'loc(fused["a:", "b"]): error: something else\nmany lines of a graph\n',
            "TFLite's converter failed: something else",
        ),
    ],
)
def test_errors_of_the_converter(
    traced: jax.extend.core.ClosedJaxpr, words: str, sentence: str
) -> None:
    assert refusals.explained(RuntimeError(words), traced) == sentence


def test_operators_without_a_way_of_their_own() -> None:
    assert "leave the recipe out" in refusals.way_out("SEGMENT_SUM")
    assert refusals.way_out("SIN") == refusals.way_out("sin")


@pytest.mark.parametrize("text", ["", "\n\n", "x" * 9999])
def test_cause_is_one_short_line(text: str) -> None:
    found = refusals.cause(RuntimeError(text))
    assert found and len(found) <= 200 and "\n" not in found
