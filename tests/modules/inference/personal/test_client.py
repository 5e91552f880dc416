"""Training, new classes, forgetting; what is saved goes on as if it had not been."""

import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from data.files import PROJECT_ROOT
from modules import personal_names as names
from modules.inference.personal import manifest
from modules.inference.personal.client import PersonalModel
from modules.inference.personal.errors import PersonalError
from tests.modules.inference.personal import packages
from tests.modules.inference.personal.packages import images

NEW = 7  # a picture that the package does not know
OLD_NAMES = packages.TASK.label_names


def accuracy(model: PersonalModel, label: int, name: str) -> float:
    """Returns the share of images of a class that the model takes for a class of this name."""
    answers = [model.infer(image) for image in images(label, 20, seed=5)]
    return sum(max(answer, key=answer.__getitem__) == name for answer in answers) / len(answers)


def old_accuracy(model: PersonalModel) -> float:
    return sum(accuracy(model, *each) for each in enumerate(OLD_NAMES)) / len(OLD_NAMES)


def add_new(model: PersonalModel, count: int = 20) -> None:
    for image in images(NEW, count):
        model.add(image, "star")


def test_a_new_class_is_learnt_and_replay_keeps_the_old_ones(package: Path) -> None:
    kept, lost = PersonalModel(package), PersonalModel(package, replay_share=0)
    for model in (kept, lost):
        assert old_accuracy(model) > 0.95
        add_new(model)
        assert accuracy(model, NEW, "star") < 0.5
        model.train(10)
        assert accuracy(model, NEW, "star") > 0.95
    assert old_accuracy(kept) > 0.95
    assert old_accuracy(lost) < 0.6


def test_a_known_class_can_come_to_look_otherwise(package: Path) -> None:
    model = PersonalModel(package)
    assert accuracy(model, NEW, "ring") < 0.5
    for image in images(NEW, 20):
        model.add(image, "ring")
    losses = model.train(10)
    assert losses[-1] < losses[0] / 3
    assert accuracy(model, NEW, "ring") > 0.95
    assert model.class_names == OLD_NAMES


def test_fewer_images_than_a_batch_has_are_enough(package: Path) -> None:
    model = PersonalModel(package)
    add_new(model, 3)
    model.train(40)
    assert accuracy(model, NEW, "star") > 0.8
    assert old_accuracy(model) > 0.9


def test_only_classes_with_a_name_have_probabilities(softmax_package: Path) -> None:
    model = PersonalModel(softmax_package)
    [image] = images(1, 1)
    assert model.logits(image).shape == (packages.NUM_CLASSES,)
    assert list(model.infer(image)) == list(OLD_NAMES)
    add_new(model, 1)
    answer = model.infer(image)
    assert list(answer) == [*OLD_NAMES, "star"] == list(model.class_names)
    assert sum(answer.values()) == pytest.approx(1)
    logits = model.logits(image)[:4]
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(list(answer.values()), expected, rtol=1e-5)


def test_integers_and_rows_are_images_too(softmax_package: Path) -> None:
    model = PersonalModel(softmax_package)
    integers = (images(1, 1)[0] * 255).astype(np.uint8)
    floats = integers.astype(np.float32) / np.float32(255)
    for image in (integers, floats.reshape(-1), floats.astype(np.float64)):
        np.testing.assert_allclose(model.logits(image), model.logits(floats), rtol=1e-5)


def test_every_epoch_is_told(softmax_package: Path) -> None:
    model, told = PersonalModel(softmax_package), []
    add_new(model)
    losses = model.train(3, lambda epoch, loss: told.append((epoch, loss)))
    assert told == list(enumerate(losses, 1))
    assert model.step == 3 * 5  # four of the 20 images are in a batch of 8


@pytest.mark.parametrize("count", [1, 8, 12])
def test_the_loss_of_an_epoch_is_the_mean_over_images(softmax_package: Path, count: int) -> None:
    """Of images that are all the same: before any step, it is the loss of one."""
    model, told = PersonalModel(softmax_package, replay_share=0), []
    [image] = images(0, 1)
    for _ in range(count):
        model.add(image, "line")
    [mean] = model.train(1, lambda epoch, loss: told.append(loss))
    logits = PersonalModel(softmax_package).logits(image).astype(np.float64)
    one = np.log(np.exp(logits).sum()) - logits[1]
    assert told == [mean]
    assert mean == pytest.approx(one, rel=1e-5) if count <= packages.BATCH else mean < one


def test_the_same_calls_give_the_same_numbers(package: Path) -> None:
    models = [PersonalModel(package), PersonalModel(package), PersonalModel(package, seed=1)]
    for model in models:
        add_new(model)
    one, same, other = [model.train(2) for model in models]
    assert one == same != other


def test_what_was_saved_goes_on_as_if_it_had_not_been(package: Path, tmp_path: Path) -> None:
    model, loaded = (PersonalModel(package, samples_per_class=10) for _ in range(2))
    add_new(model, 30)
    model.train(1)
    model.save(tmp_path / "state")
    loaded.load(tmp_path / "state")
    assert loaded.class_names == model.class_names
    for each in (model, loaded):
        for image in images(NEW, 30, seed=2):
            each.add(image, "star")
    assert loaded.train(2) == model.train(2)
    assert loaded.step == model.step


def test_reset_forgets_all(package: Path) -> None:
    model, fresh = PersonalModel(package), PersonalModel(package)
    add_new(model)
    model.train(1)
    model.reset()
    assert (model.class_names, model.step) == (OLD_NAMES, 0)
    with pytest.raises(PersonalError, match="^there is nothing to train on; add images first$"):
        model.train(1)
    for each in (model, fresh):
        add_new(each)
    assert model.train(1) == fresh.train(1)


def test_a_step_is_that_of_jax(package: Path) -> None:
    """Two steps, so that the optimizer's state counts, too."""
    signatures = PersonalModel(package)._signatures
    step = packages.training_step(manifest.read(package).head)
    values, take, batch = step.initial(), jax.jit(step.step), packages.old_samples(3)
    found = signatures.initial
    rows = slice(0, packages.BATCH)
    labels = np.eye(packages.NUM_CLASSES, dtype=np.float32)[batch.labels[rows]]
    labels *= np.arange(1, 9, dtype=np.float32)[:, np.newaxis] / 8
    for _ in range(2):
        values = jax.device_get(take(batch.features[rows], labels, values))
        loss = values.pop(names.LOSS)
        found, found_loss = signatures.train_step(batch.features[rows], labels, found)
        assert found_loss == pytest.approx(float(loss), rel=1e-4, abs=1e-6)
    assert found.keys() == values.keys()
    for name, value in values.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-3, atol=1e-5, err_msg=name)


def test_the_client_needs_no_framework(softmax_package: Path) -> None:
    script = (
        "import sys; from modules.inference.personal.client import PersonalModel; "
        f"PersonalModel({str(softmax_package)!r}); "
        "print([name for name in ('jax', 'flax', 'tensorflow', 'tfx') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
