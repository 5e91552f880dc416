"""What a user or a disk may get wrong: a sentence each, and the model stays as it was."""

import dataclasses
import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from modules.inference.personal import manifest, tensor_files
from modules.inference.personal.client import PersonalModel
from modules.inference.personal.errors import PersonalError
from modules.inference.personal.manifest import MANIFEST_FILE, MODEL_FILE, REPLAY_FILE
from tests.modules.inference.personal import packages
from tests.modules.inference.personal.packages import images

[IMAGE] = images(0, 1)


@pytest.fixture
def copy(softmax_package: Path, tmp_path: Path) -> Path:
    """A package of the test's own."""
    return Path(shutil.copytree(softmax_package, tmp_path / "package"))


@pytest.fixture
def model(softmax_package: Path) -> PersonalModel:
    """A model with a few images."""
    model = PersonalModel(softmax_package)
    for image in images(7, 3):
        model.add(image, "star")
    return model


def change(folder: Path, **values: object) -> None:
    """Writes other values into a manifest."""
    manifest.write(dataclasses.replace(manifest.read(folder), **values), folder)


@pytest.mark.parametrize("name", [MODEL_FILE, REPLAY_FILE])
def test_a_damaged_file_is_refused_before_it_is_run(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    for wrong in (bytes(content), bytes(content[:-1]), b""):
        (copy / name).write_bytes(wrong)
        with pytest.raises(PersonalError, match=rf"/{name} is damaged: its SHA-256 begins with "):
            PersonalModel(copy)
    (copy / name).unlink()
    with pytest.raises(PersonalError, match=rf"/{name} cannot be read \(No such file or dir"):
        PersonalModel(copy)


@pytest.mark.parametrize("content", [b"", b"no model", bytes(1000)])
def test_a_file_that_is_no_model_is_refused(copy: Path, content: bytes) -> None:
    (copy / MODEL_FILE).write_bytes(content)
    change(copy, sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(PersonalError, match="^personal.tflite is no TFLite file of use: "):
        PersonalModel(copy)


@pytest.mark.parametrize(
    ("values", "tensor"),
    [
        ({"batch_size": 9}, r"features is float32\[8, 24\], its .+ wants float32\[9, 24\];"),
        ({"num_classes": 4}, r"logits is float32\[1, 5\], its .+ wants float32\[1, 4\];"),
        ({"task": dataclasses.replace(packages.TASK, image_shape=(6, 5, 1))}, "image_floats is "),
    ],
)
def test_a_file_that_is_not_as_its_manifest_says_is_refused(
    copy: Path, values: dict[str, object], tensor: str
) -> None:
    change(copy, **values)
    with pytest.raises(
        PersonalError, match=rf"^personal.tflite, signature \w+: the tensor {tensor}"
    ):
        PersonalModel(copy)


def test_a_file_without_a_signature_is_refused(copy: Path) -> None:
    content = (copy / MODEL_FILE).read_bytes().replace(b"bottleneck", b"bottlecork")
    (copy / MODEL_FILE).write_bytes(content)
    change(copy, sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(PersonalError, match="^personal.tflite has no signature bottleneck$"):
        PersonalModel(copy)


def test_a_package_without_replay_trains_on_the_users_images(copy: Path) -> None:
    change(copy, replay=None)
    (copy / REPLAY_FILE).unlink()
    model, alone = PersonalModel(copy), PersonalModel(copy, replay_share=0)
    for each in (model, alone):
        each.add(IMAGE, "ring")
    assert model.train(2) == alone.train(2)


@pytest.mark.parametrize("share", [-1, 0.01, 0.99, 1, 2])
def test_a_share_that_leaves_no_room_is_refused(softmax_package: Path, share: float) -> None:
    with pytest.raises(PersonalError, match=f"replay_share is {share}, which of a batch of 8 im"):
        PersonalModel(softmax_package, replay_share=share)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (IMAGE[:5], r"the image has shape \[5, 6, 1\], expected \[6, 6, 1\] or \[36\]"),
        (IMAGE[..., 0], r"the image has shape \[6, 6\]"),
        (IMAGE * np.nan, "the image has numbers from nan to nan, expected 0 to 1 without NaN"),
        (IMAGE - 2, "the image has numbers from -"),
        (IMAGE * 255, "the image has numbers from "),
        ((IMAGE * 255).astype(np.int32), "the image is int32, expected uint8, or floats from 0"),
        (np.full((6, 6, 1), "a"), "the image is <U1, expected"),
    ],
)
def test_an_image_of_another_kind_is_refused(
    model: PersonalModel, image: np.ndarray, message: str
) -> None:
    for use in (lambda: model.add(image, "comet"), lambda: model.infer(image)):
        with pytest.raises(PersonalError, match=f"^{message}"):
            use()
    assert model.class_names == (*packages.TASK.label_names, "star")


@pytest.mark.parametrize("label", [1, None, "", " "])
def test_a_label_that_is_no_name_is_refused(model: PersonalModel, label: object) -> None:
    with pytest.raises(PersonalError, match=f"the label is {label!r}, expected the name of a cl"):
        model.add(IMAGE, label)


def test_a_class_more_than_there_are_outputs_is_refused(model: PersonalModel) -> None:
    model.add(IMAGE, "comet")
    with pytest.raises(
        PersonalError,
        match=r"^there is no output free for a class 'moon': all 5 have a name \(cross, line, "
        r"ring, star, comet\)$",
    ):
        model.add(IMAGE, "moon")
    model.add(IMAGE, "star")


@pytest.mark.parametrize("epochs", [0, -1, 1.5, "2"])
def test_a_number_of_epochs_that_is_none_is_refused(model: PersonalModel, epochs: object) -> None:
    with pytest.raises(PersonalError, match=f"^epochs is {epochs!r}, expected a whole number abo"):
        model.train(epochs)


BATCH = packages.BATCH
FEATURES = np.ones((BATCH, packages.SIZE), np.float32)
ONE_HOT = np.eye(packages.NUM_CLASSES, dtype=np.float32)[np.arange(BATCH) % 3]


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (FEATURES, ONE_HOT.astype(np.int32), "labels are int32, expected float32 rows, one-hot"),
        (FEATURES, ONE_HOT * np.float32(0), "labels have a row that does not name one class"),
        (FEATURES, ONE_HOT * np.float32(-1), "labels have a row that does not name one class"),
        (FEATURES, ONE_HOT + np.float32(1), "labels have a row that does not name one class"),
        (FEATURES, ONE_HOT - np.roll(ONE_HOT, 1, axis=1) / 2, "labels have a row that does not"),
        (FEATURES, ONE_HOT * np.float32(np.nan), "labels have a row that does not name one"),
        (FEATURES, np.where(ONE_HOT, np.float32(np.inf), 0), "there are labels to train on that"),
        (FEATURES * np.float32(np.nan), ONE_HOT, "there are features to train on that are not fin"),
        (FEATURES * np.float32(3e38), ONE_HOT, "a training step gives .+ that are not finite"),
    ],
)
def test_a_step_on_what_is_wrong_is_not_silent(
    model: PersonalModel, features: np.ndarray, labels: np.ndarray, message: str
) -> None:
    with pytest.raises(PersonalError, match=f"^{message}"):
        model._signatures.train_step(features, labels, model._signatures.initial)


def test_a_step_whose_loss_alone_is_a_number_is_not_silent(mlp_package: Path) -> None:
    """The squares of such gradients, which Adam keeps, are infinite."""
    signatures = PersonalModel(mlp_package)._signatures
    with pytest.raises(PersonalError, match="^a training step gives (params|state)_.+ not finite$"):
        signatures.train_step(FEATURES * np.float32(1e25), ONE_HOT, signatures.initial)


def test_a_step_that_gives_no_numbers_is_not_taken(model: PersonalModel, tmp_path: Path) -> None:
    """Parameters as of a training that ran away, which are numbers still."""
    model.train(1)
    model.save(path := tmp_path / "state")
    arrays, metadata = tensor_files.parsed(path.read_bytes(), path)
    arrays["params_kernel"][:, :2] = 3e38
    path.write_bytes(safetensors.numpy.save(arrays, metadata))
    model.load(path)
    with pytest.raises(
        PersonalError,
        match=r"^step 2 was not taken: a training step gives .+ that are not finite; the model is ",
    ):
        model.train(3)
    assert model.step == 1
    with pytest.raises(PersonalError, match="^the model gives logits that are not finite$"):
        model.infer(IMAGE)
    model.save(tmp_path / "again")
    again, _ = tensor_files.parsed((tmp_path / "again").read_bytes(), path)
    for name, value in arrays.items():
        np.testing.assert_array_equal(again[name], value)


def test_a_state_of_another_model_is_refused_and_the_own_one_stays(
    model: PersonalModel, mlp_package: Path, tmp_path: Path
) -> None:
    other = PersonalModel(mlp_package)
    other.save(path := tmp_path / "state")
    content, before = path.read_bytes(), model.logits(IMAGE).tolist()
    with pytest.raises(
        PersonalError,
        match=rf"^{re.escape(str(path))} is of the model small-mlp \(\w{{12}}\), and this is the "
        rf"model small-softmax \(\w{{12}}\); a state goes with one file alone$",
    ):
        model.load(path)
    assert model.logits(IMAGE).tolist() == before
    assert model.class_names[-1] == "star"
    assert path.read_bytes() == content


def test_a_folder_without_a_package_is_told(tmp_path: Path) -> None:
    with pytest.raises(PersonalError, match=rf"/{MANIFEST_FILE} cannot be read \(No such file or "):
        PersonalModel(tmp_path)
