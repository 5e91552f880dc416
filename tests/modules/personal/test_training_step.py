"""A step by name is the step that optax and JAX would make."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from data.errors import ConfigError
from modules.personal import fitting, heads
from modules.personal.optimizers import OPTIMIZERS, make_optimizer
from modules.personal.training_step import TrainingStep

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(size=(6, 4)).astype(np.float32)
CLASSES = RANDOM.integers(0, 3, 6)
LABELS = np.eye(3, dtype=np.float32)[CLASSES]


def make(optimizer: str = "adam") -> TrainingStep:
    head = heads.mlp_head(5, l2=0.01)
    params = head.init(jax.random.key(0), 4, 3)
    optimizer = make_optimizer(optimizer, 0.1)
    return TrainingStep(
        lambda params, x: head.apply(params, x, 3), head.penalty, optimizer, params, 4, 3
    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_steps_are_those_of_optax(optimizer: str) -> None:
    step, values = make(optimizer), make(optimizer).initial()
    params, state = step.params, step.optimizer.init(step.params)

    def loss_of(params: dict) -> jax.Array:
        logits = step.apply(params, FEATURES)
        entropy = optax.softmax_cross_entropy_with_integer_labels(logits, CLASSES).mean()
        kernels = params["hidden"]["kernel"], params["output"]["kernel"]
        return entropy + 0.01 * sum(jnp.square(kernel).sum() for kernel in kernels)

    for _ in range(3):
        found = step.step(FEATURES, LABELS, values)
        loss, gradients = jax.value_and_grad(loss_of)(params)
        updates, state = step.optimizer.update(gradients, state, params)
        params = optax.apply_updates(params, updates)
        assert found.pop("loss") == pytest.approx(float(loss), rel=1e-5)
        values = found
    ours = [values[name] for name in step.parameter_names()]
    for one, other in zip(ours, jax.tree.leaves(params), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    logits = step.infer(FEATURES, values)["logits"]
    np.testing.assert_allclose(logits, step.apply(params, FEATURES), atol=1e-5)


def test_weights_of_images_are_in_the_labels() -> None:
    """An image twice with half the weight each is the image once; none counts for nothing."""
    step = make()
    once = step.step(FEATURES, LABELS, step.initial())
    twice = step.step(
        np.concatenate([FEATURES, FEATURES]), np.concatenate([LABELS, LABELS]) / 2, step.initial()
    )
    more = step.step(
        np.concatenate([FEATURES, FEATURES * 9]),
        np.concatenate([LABELS, LABELS * 0]),
        step.initial(),
    )
    for name, value in once.items():
        np.testing.assert_allclose(twice[name], value, atol=1e-6)
        np.testing.assert_allclose(more[name], value, atol=1e-6)


def test_names_are_each_once_and_letters_digits_underscores() -> None:
    tree = {"a.b": jnp.ones(1), "a/b": jnp.ones(2), "ä": jnp.ones(3)}
    step = TrainingStep(lambda params, x: x, heads.no_penalty, optax.sgd(0.1, 0.9), tree, 4, 3)
    names = list(step.initial())
    assert len(set(names)) == 6 and all(name.isidentifier() for name in names)
    assert [step.initial()[name].shape for name in step.parameter_names()] == [(1,), (2,), (3,)]


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_optimizers_that_there_are_not(rate: float) -> None:
    with pytest.raises(ConfigError, match="learning rate"):
        make_optimizer("sgd", rate)
    with pytest.raises(ConfigError, match="expected sgd, momentum, adam"):
        make_optimizer("lion", None)


def test_a_head_is_fitted_before_it_ships() -> None:
    features = RANDOM.normal(size=(300, 4)).astype(np.float32)
    labels = features[:, :3].argmax(axis=1)
    head = heads.softmax_head()
    params = fitting.fitted(
        lambda params, x: head.apply(params, x, 5), head.init(None, 4, 5), features, labels, 5
    )
    logits = head.apply(params, features, 5)
    before = np.mean(np.zeros(len(labels)) == labels)
    assert np.mean(logits.argmax(axis=1) == labels) > before + 0.2


def test_a_softmax_head_of_a_last_layer_has_spare_outputs() -> None:
    kernel, bias = RANDOM.normal(size=(4, 3)), RANDOM.normal(size=3)
    params = fitting.as_softmax(lambda x: x @ kernel + bias, 4, spare=2)
    head = heads.softmax_head()
    logits = head.apply(params, FEATURES, 5)
    np.testing.assert_allclose(logits[:, :3], FEATURES @ kernel + bias, atol=1e-5)
    np.testing.assert_array_equal(logits[:, 3:], 0)
