"""Data and networks that are not MNIST's, from the user's files to pushed models."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from data.errors import NOT_BLESSED
from modules.export.reusable.batch_sizes import sizes_of
from tests.e2e.support.harness import Run
from tests.e2e.support.in_process import run_here
from tests.support import made_data

HERE = Path(__file__).parent
ALL = {"saved_model", "float32", "float16", "dynamic_range", "int8", "int8_io"}


@pytest.fixture(scope="module")
def coloured() -> made_data.Arrays:
    return made_data.coloured_digits(train_of_a_class=12, eval_of_a_class=3)


def pushed(run: Run) -> set[str]:
    return {model["name"] for model in run.comparison()["models"] if model["pushed_to"]}


def refusals(run: Run) -> dict[str, str]:
    return {model["name"]: model["refused"] for model in run.comparison()["models"]}


def manifest(run: Run) -> dict[str, Any]:
    [file] = run.output.glob("device/*/model.json")
    return json.loads(file.read_text())


def answers(run: Run, recipe: str, images: np.ndarray) -> list[str]:
    """The labels that a pushed file gives, by nothing but what lies beside it."""
    facts = manifest(run)
    [entry] = [model for model in facts["models"] if model["name"] == recipe]
    [folder] = run.output.glob("device/*")
    interpreter = Interpreter(str(folder / entry["file"]))
    run_model = interpreter.get_signature_runner()
    pixels = (images.reshape(len(images), -1) / 255).astype(np.float32)
    logits = [
        run_model(**{facts["input"]["name"]: row[None]})[facts["output"]["name"]] for row in pixels
    ]
    return [facts["labels"][place] for place in np.concatenate(logits).argmax(axis=1)]


def test_pictures_in_a_hundred_classes_by_a_residual_network(
    tmp_path: Path, coloured: made_data.Arrays
) -> None:
    """Batch statistics and GELU; a class is a folder."""
    made_data.write_pictures(tmp_path / "coloured", coloured)
    run = run_here(
        DATASET=tmp_path / "coloured",
        MODEL="resnet",
        OUTPUT=tmp_path / "output",
        EPOCHS="8",
        MIN_ACCURACY="0.3",
        RECIPES="float32,dynamic_range",
    )
    assert run.status == 0, run.text
    assert pushed(run) == {"saved_model", "float32", "dynamic_range"}
    facts = manifest(run)
    assert facts["input"]["image_shape"] == [32, 32, 3] and len(facts["labels"]) == 100
    names = [
        f"{label // 10}-{made_data.GROUND_NAMES[label % 10]}" for label in coloured.eval_labels
    ]
    found = answers(run, "float32", coloured.eval_images)
    right = np.mean([one == other for one, other in zip(names, found, strict=True)])
    [float32] = [model for model in run.comparison()["models"] if model["name"] == "float32"]
    assert right == pytest.approx(float32["metrics"]["accuracy"], abs=0.005) and right > 0.3


def test_cifars_files_by_a_mobile_network(tmp_path: Path, coloured: made_data.Arrays) -> None:
    """Depthwise convolutions and hard-swish."""
    made_data.write_cifar100(tmp_path / "binary", coloured)
    run = run_here(
        DATASET=tmp_path / "binary",
        MODEL="mobilenet",
        OUTPUT=tmp_path / "output",
        EPOCHS="6",
        MIN_ACCURACY="0.03",
        RECIPES="float32,dynamic_range",
    )
    assert run.status == 0, run.text
    assert run.comparison()["image_shape"] == [32, 32, 3]
    assert pushed(run) == {"saved_model", "float32", "dynamic_range"}


def test_three_classes_of_narrow_images_by_a_network_of_ones_own(tmp_path: Path) -> None:
    """In NNX, with batch statistics and dropout; labels 0, 1 and 4 are three outputs."""
    arrays = made_data.narrow_digits((0, 1, 4))
    made_data.write_npz(tmp_path / "narrow.npz", arrays)
    run = run_here(
        DATASET=tmp_path / "narrow.npz",
        MODEL=HERE / "regularized.py",
        OUTPUT=tmp_path / "output",
        EPOCHS="8",
        MIN_ACCURACY="0.9",
    )
    assert run.status == 0, run.text
    assert pushed(run) == ALL
    comparison = run.comparison()
    assert (comparison["image_shape"], comparison["label_names"]) == ([20, 30, 1], ["0", "1", "4"])
    assert manifest(run)["model"] == "regularized"
    found = answers(run, "int8", arrays.eval_images)
    right = np.array(found) == arrays.eval_labels.astype(str)
    assert right.mean() > 0.9


@pytest.mark.parametrize(
    ("model", "recipes", "batch_sizes"),
    [
        ("lstm", "float32,dynamic_range", (1, 16, 128)),
        (HERE / "half_precision.py", "float32,int8", (32,)),
    ],
)
def test_other_networks_on_the_digits(
    tmp_path: Path, model: str | Path, recipes: str, batch_sizes: tuple[int, ...]
) -> None:
    """With a SavedModel for a few batch sizes alone."""
    run = run_here(
        DATASET="digits",
        MODEL=model,
        OUTPUT=tmp_path / "output",
        EPOCHS="6",
        MIN_ACCURACY="0.5",
        RECIPES=recipes,
        BATCH_SIZES=",".join(map(str, batch_sizes)),
        PERSONALIZE="softmax,sgd" if model == "lstm" else "",
    )
    if model == "lstm":  # what people gain of so little training decides, whichever it is
        personal = run.comparison()["personal"]
        assert personal["people"] == 30 and not personal["refused"]
        is_pushed = bool(list(run.output.glob("personal/*/personal.tflite")))
        assert is_pushed == (run.status == 0) == all(c["passed"] for c in personal["checks"])
        assert "Personalization" in (run.output / "report" / "index.html").read_text()
    else:
        assert run.status == 0, run.text
    assert pushed(run) == {"saved_model", *recipes.split(",")}
    [version] = run.output.glob("serving/*")
    assert sizes_of(tf.saved_model.load(str(version))) == batch_sizes


def test_what_tflite_cannot_express_is_refused_and_the_server_s_model_ships(
    tmp_path: Path,
) -> None:
    run = run_here(
        DATASET="digits",
        MODEL=HERE / "sorting.py",
        OUTPUT=tmp_path / "output",
        EPOCHS="2",
        MIN_ACCURACY="0.1",
        RECIPES="float32,int8",
    )
    assert run.status == NOT_BLESSED, run.text
    assert pushed(run) == {"saved_model"}
    page = (run.output / "report" / "index.html").read_text()
    for name in ("float32", "int8"):
        reason = refusals(run)[name]
        assert reason.startswith("TFLite has no operator for `sort`")
        assert "saved_model.py" not in reason  # no place of ours
        assert f"{name} was refused: {reason}" in " ".join(run.text.split())
    assert "TFLite has no operator for" in page
