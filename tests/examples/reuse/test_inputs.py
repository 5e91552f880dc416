"""Which SavedModel and which data are taken, and which are refused."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data.catalogue import CATALOGUE, CatalogueFile
from data.dataset import Dataset
from data.digits import DIGITS_SHA256
from data.errors import ConfigError, DataError
from data.files import PROJECT_ROOT
from data.mirrors import download
from data.mirrors.fetch import Fetch
from data.task import Task
from examples.reuse import inputs
from pipeline.storage.version_writer import push

if TYPE_CHECKING:
    from tests.support.digit_models import DigitModels

TASK = Task("digits", (28, 28, 1), tuple("0123456789"))


def save(folder: Path, names: tuple[str, ...]) -> None:
    """Writes a SavedModel with such signatures, and nothing that can be trained."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([None, 784], tf.float32, name="image_floats")])
    def serve(image_floats: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"logits": image_floats[:, :10]}

    root = tf.train.Checkpoint()
    root.feature_extractor = tf.train.Checkpoint()
    root.feature_extractor.trainable_variables = []
    root.serve = serve
    tf.saved_model.save(root, str(folder), signatures=dict.fromkeys(names, serve))


def test_a_base_of_the_pipeline(base: str) -> None:
    assert inputs.check_base(base, TASK) == 10
    with pytest.raises(ConfigError, match="takes images of 784 numbers, and those of x have 3,072"):
        inputs.check_base(base, Task("x", (32, 32, 3), ("a", "b")))


def test_what_is_no_base(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"^{tmp_path}: there is no SavedModel"):
        inputs.check_base(str(tmp_path), TASK)
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\xff")
    with pytest.raises(ConfigError, match=f"^{tmp_path}: is no SavedModel that can be read"):
        inputs.check_base(str(tmp_path), TASK)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("predict_images",), "has no feature extractor"),
        (("predict_images", "predict_features"), "nothing in this SavedModel can be trained"),
    ],
)
def test_what_cannot_be_reused(tmp_path: Path, names: tuple[str, ...], said: str) -> None:
    save(tmp_path, names)
    with pytest.raises(ConfigError, match=said):
        inputs.check_base(str(tmp_path), TASK)


def test_of_fixed_batch_sizes(tmp_path: Path, digit_models: "DigitModels") -> None:
    from modules.export import saved_model

    saved_model.save_saved_model(digit_models.trained, str(tmp_path), (2,))
    with pytest.raises(ConfigError, match="takes batches of 2 images alone"):
        inputs.check_base(str(tmp_path), TASK)


def test_the_newest_that_was_pushed(tmp_path: Path, digits: Dataset) -> None:
    with pytest.raises(ConfigError, match=f"^{tmp_path}/serving: no SavedModel was pushed there"):
        inputs.newest_base({"OUTPUT": str(tmp_path)}, digits)
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    source, serving = {"saved_model.pb": tmp_path / "saved_model.pb"}, str(tmp_path / "serving")
    push(source, serving, f"{1:016x}", "one")
    newest = push(source, serving, f"{2:016x}", "two")
    assert inputs.newest_base({"OUTPUT": str(tmp_path)}, digits) == newest
    pushed = {"PUSH_TO": str(tmp_path), "OUTPUT": str(tmp_path / "other")}
    assert inputs.newest_base(pushed, digits) == newest


def test_where_output_is_not_set(digits: Dataset) -> None:
    with pytest.raises(ConfigError, match=f"^{PROJECT_ROOT}/output/no-such-data/serving: "):
        inputs.newest_base({}, replace(digits, task=replace(TASK, name="no-such-data")))


@pytest.fixture
def clothes(cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with a data set of the catalogue, which the digits stand for."""
    shutil.copytree(cache_dir / "digits", tmp_path / "fashion-mnist")
    files = tuple(
        CatalogueFile(name, (tmp_path / "fashion-mnist" / name).stat().st_size, DIGITS_SHA256[name])
        for name in DIGITS_SHA256
    )
    entry = replace(CATALOGUE["fashion-mnist"], files=files, train_examples=1433, eval_examples=364)
    monkeypatch.setitem(CATALOGUE, "fashion-mnist", entry)
    return tmp_path


def test_other_data_that_is_on_disk(clothes: Path, cache_dir: Path) -> None:
    on_disk, nothing = {"DATA_CACHE": str(clothes)}, {"DATA_CACHE": str(cache_dir)}
    assert inputs.new_data(on_disk) == "fashion-mnist"
    assert inputs.find_data("fashion-mnist", on_disk).name == "fashion-mnist"
    assert inputs.new_data(nothing) is None
    assert inputs.new_data(on_disk | {"DATASET": "fashion-mnist"}) is None
    with pytest.raises(ConfigError, match="^fashion-mnist: its files are not on disk"):
        inputs.find_data("fashion-mnist", nothing)


def test_nothing_is_downloaded(
    cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fetch, "until_right", lambda *_: pytest.fail("a mirror was asked"))
    monkeypatch.setattr(download, "getting", lambda *_: pytest.fail("a mirror was asked"))
    found = inputs.find_data("auto", {"DATA_CACHE": str(cache_dir)})
    assert found.name == "digits" and found.is_fallback
    with pytest.raises(DataError, match=f"{tmp_path}/none: no such folder"):
        inputs.find_data("mnist", {"MNIST_DIR": f"{tmp_path}/none", "DATA_CACHE": str(cache_dir)})
