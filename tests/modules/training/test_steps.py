"""What is fixed before the first step: warm-up, weights, and which leaves are trained."""

import jax.numpy as jnp
import numpy as np
import pytest

from data.task import Task
from modules.models import pure
from modules.models.network import Network
from modules.training import steps
from modules.training.config import TrainConfig


@pytest.mark.parametrize(
    ("epochs", "steps_of_epoch", "warmup", "expected"),
    [
        (10, 890, 0.1, 890),  # MNIST
        (1, 21, 0.1, 2),  # the digits
        (10, 20, 0.1, 20),
        (10, 4, 0.1, 20),
        (10, 19, 0.5, 95),
        (2, 1, 0.0, 1),
        (1, 1, 0.1, 0),
    ],
)
def test_where_an_epoch_has_few_steps_the_rate_rises_more_slowly(
    epochs: int, steps_of_epoch: int, warmup: float, expected: int
) -> None:
    config = TrainConfig(epochs=epochs, warmup=warmup)
    assert steps.warmup_steps(config, steps_of_epoch) == expected


def test_weights_are_inverse_frequencies_with_a_mean_of_one() -> None:
    labels = np.array([0, 0, 0, 1, 3, 3])
    weights = steps.class_weights(labels, 5)
    np.testing.assert_allclose(weights, [2 / 3, 2, 0, 1, 0])
    assert weights.dtype == np.float32 and weights[labels].mean() == pytest.approx(1)


def test_only_trainable_leaves_are_taken_out_and_put_back() -> None:
    model = pure(lambda key, task: None, lambda params, images: images)
    network = Network(model, Task("t", (2, 2, 1), ("a", "b")))
    variables = {"b": [jnp.ones(2), jnp.int32(3)], "a/c.d": {7: jnp.zeros(1, jnp.bfloat16)}}
    parts = steps.Parts.of(network, variables)
    params = parts.params(variables)
    assert [leaf.shape for leaf in params] == [(1,), (2,)]
    joined = parts.joined([jnp.full(1, 5.0), jnp.full(2, 6.0)], variables)
    assert joined["a/c.d"][7] == 5 and joined["b"][1] == 3
    np.testing.assert_array_equal(joined["b"][0], [6, 6])
