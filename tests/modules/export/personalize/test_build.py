"""Personal models: every head with every optimizer, and the whole network, as JAX trains them."""

from pathlib import Path

import jax
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from tensorflow.lite.tools import flatbuffer_utils

from data.errors import ConfigError
from modules.export.graph.flatbuffer import ConversionError
from modules.export.personalize import bases, build, checks, package
from modules.export.personalize.bases import Base
from modules.export.recipes import RECIPES
from modules.inference.personal.client import PersonalModel
from modules.models import cnn
from modules.personal.optimizers import LEARNING_RATES as OPTIMIZER_RATES
from modules.personal.optimizers import OPTIMIZERS
from modules.personal.options import Options
from tests.support.digit_models import DigitModels

HEADS = Path(__file__).parents[2] / "personal"
PIXELS = 784
STEPS = 60


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, digit_models: DigitModels) -> dict[str, Base]:
    """Bases of the trained network, by what is trained on the device."""
    found = {}
    for trains in ("last:1", "all"):
        folder = tmp_path_factory.mktemp("base")
        found[trains] = bases.of_network(digit_models.trained, trains, str(folder))
    return found


def built(made: dict[str, Base], digit_models: DigitModels, options: Options):
    base = made["all" if options.trains == "all" else "last:1"]
    labelled = base.features(digit_models.images), np.arange(200) % 10
    step = package.training_step_of(base, digit_models.files.task, options, labelled)
    return base, step, build.build(base.path, base.output, step, options.batch_size)


CASES = [
    *((head, optimizer) for head in ("softmax", "mlp", "flax_net.py", "keras_net.py")
      for optimizer in OPTIMIZERS),
    ("all", "sgd"),
    ("all", "adam"),
]  # fmt: skip


@pytest.mark.parametrize(("head", "optimizer"), CASES)
def test_sixty_steps_follow_jax(
    made: dict[str, Base], digit_models: DigitModels, head: str, optimizer: str
) -> None:
    """Built-in operators alone, names, and bytes are checked by `build` itself."""
    trains = str(HEADS / head) if head.endswith(".py") else head
    base, step, result = built(made, digit_models, Options(trains, optimizer))
    interpreter = Interpreter(model_content=result.content, num_threads=1)
    by_tflite, by_jax = interpreter.get_signature_runner("initial")(), step.initial()
    runner, in_jax = interpreter.get_signature_runner("train_step"), jax.jit(step.step)
    features = base.features(digit_models.images)
    random = np.random.default_rng(1)
    for _ in range(STEPS):
        rows = random.integers(0, 200, 20)
        labels = np.eye(10, dtype=np.float32)[rows % 10]
        by_tflite = runner(features=features[rows], labels=labels, **by_tflite)
        by_jax = dict(in_jax(features[rows], labels, by_jax))
        for values in (by_tflite, by_jax):
            assert np.isfinite(values.pop("loss"))
    for name, value in by_jax.items():
        np.testing.assert_allclose(by_tflite[name], value, atol=1e-5, err_msg=name)
    own = sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(step.params))
    assert len(result.content) <= result.base_bytes + own + (120 << 10)


def test_signatures_share_what_is_equal(made: dict[str, Base], digit_models: DigitModels) -> None:
    """The parameters of the whole network are there once, its optimizer's zeros not at all."""
    _, step, result = built(made, digit_models, Options("all", "adam"))
    weights = sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(step.params))
    assert len(result.content) < result.base_bytes + weights + (60 << 10)
    initial = Interpreter(model_content=result.content).get_signature_runner("initial")()
    for name, value in step.initial().items():
        np.testing.assert_array_equal(initial[name], value)


@pytest.mark.parametrize("recipe", ["dynamic_range", "int8"])
def test_a_quantized_base_under_a_float_head(
    tmp_path: Path, digit_models: DigitModels, made: dict[str, Base], recipe: str
) -> None:
    base = bases.of_network(
        digit_models.trained, "last:1", str(tmp_path), RECIPES[recipe], digit_models.images[::4]
    )
    exact = made["last:1"].features(digit_models.images)
    found = base.features(digit_models.images)
    assert np.abs(found - exact).max() < 0.1 * exact.max()
    step = package.training_step_of(base, digit_models.files.task, Options())
    result = build.build(base.path, base.output, step, 20)
    assert len(result.content) < 0.3 * Path(made["last:1"].path).stat().st_size


def test_a_package_is_trained_by_the_client(
    tmp_path: Path, digit_models: DigitModels, made: dict[str, Base]
) -> None:
    """It starts as the network ends, and learns a class that it did not have."""
    base, task = made["last:1"], digit_models.files.task
    features, labels = base.features(digit_models.images), np.arange(200) % 10
    labels = digit_models.logits.argmax(axis=1)
    package.write(tmp_path, base, task, "cnn", Options(spare_classes=2), (features, labels))
    model = PersonalModel(tmp_path)
    images = digit_models.images.reshape(-1, *task.image_shape)
    expected = [task.label_names[label] for label in labels[:20]]
    assert [max(said := model.infer(image), key=said.get) for image in images[:20]] == expected
    for image in images[:8]:
        model.add(1 - image, "negative")
    model.train(20)
    said = [max(told := model.infer(1 - image), key=told.get) for image in images[20:30]]
    assert said.count("negative") >= 8


def test_wrong_options(made: dict[str, Base], digit_models: DigitModels, tmp_path: Path) -> None:
    task = digit_models.files.task
    with pytest.raises(ConfigError, match="has no outputs for new classes"):
        package.training_step_of(made["all"], task, Options("all", spare_classes=1))
    with pytest.raises(ConfigError, match="it has 4 layers with a kernel, not 9"):
        bases.of_network(digit_models.trained, "last:9", str(tmp_path))


def test_learning_rates_are_those_measured_unless_one_is_given() -> None:
    assert Options("softmax", "adam").rate > OPTIMIZER_RATES["adam"]
    assert Options("mlp", "momentum").rate < OPTIMIZER_RATES["momentum"]
    assert Options("mlp", "adam").rate == OPTIMIZER_RATES["adam"]
    assert Options("all", "sgd").rate == pytest.approx(OPTIMIZER_RATES["sgd"] / 10)
    assert Options("softmax", "adam", learning_rate=0.5).rate == 0.5


def test_a_file_that_is_of_another_step_is_noticed(
    made: dict[str, Base], digit_models: DigitModels
) -> None:
    _, _, result = built(made, digit_models, Options())
    _, other, _ = built(made, digit_models, Options(learning_rate=0.5))
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(result.content))
    with pytest.raises(ConversionError, match="after 1 steps, params_.* differs from JAX"):
        checks.check(model, result.content, other, 20, result.base_bytes)
    with pytest.raises(ConversionError, match="expected at most"):
        checks.check(model, result.content, other, 20, 0)


def test_the_default_model_is_what_is_tested(digit_models: DigitModels) -> None:
    assert digit_models.network.model is cnn.MODEL
