"""`make micro` from its settings to its last line, and the example that it writes."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from apps.micro.writing import Found
from data.forms.idx import write_idx
from data.forms.idx_names import FILE_NAMES
from data.splits import Split
from tests.apps.micro import compiled
from tests.apps.micro.conftest import Made, make_micro
from tests.support.digit_models import DigitModels
from tests.support.pushed import push

ALL_FILES = ("main.cc", "resolver.cc", "model.c", "samples.c")


def test_it_tells_the_figures_and_where_the_files_are(made: Made) -> None:
    assert made.status == 0, made.err
    figures = json.loads((made.folder / "micro.json").read_text())
    lines = made.out.splitlines()
    assert lines[0].endswith("device/7/int8_io.tflite") and lines[-1] == str(made.folder)
    for expected in (
        f"{figures['flash_bytes']:,} bytes",
        f"{figures['arena_bytes']:,} bytes",
        f"{figures['host_seconds_per_image'] * 1e3:.2f} ms",
        *(f"test image of {sample['label']} " for sample in figures["samples"]),
        *(f"the model says {sample['said']}, score" for sample in figures["samples"]),
        *(f"{npu['cycles']:,} cycles" for npu in figures["npus"]),
    ):
        assert expected in made.out
    assert sorted(path.name for path in made.folder.iterdir() if path.is_file()) == sorted(
        (*ALL_FILES, "model.h", "resolver.h", "samples.h", "Makefile", "README.md", "micro.json")
    )


def test_the_figures_are_the_model_s(
    made: Made, found: Found, pushed: Path, digit_models: DigitModels
) -> None:
    figures = json.loads((made.folder / "micro.json").read_text())
    manifest = json.loads((pushed / "device" / "7" / "model.json").read_text())
    [entry] = [model for model in manifest["models"] if model["name"] == "int8_io"]
    assert figures["sha256"] == entry["sha256"] and figures["labels"] == manifest["labels"]
    for border in ("input", "output"):
        given = entry[border]["quantization"]
        assert figures[border]["scale"] == pytest.approx(given["scale"], rel=1e-6)
        assert figures[border]["zero_point"] == given["zero_point"]
    assert figures["resolver"] == [
        *("AddConv2D", "AddDepthwiseConv2D", "AddFullyConnected", "AddMul", "AddReshape"),
        "AddSub",
    ]
    places = [sample["test_image"] for sample in figures["samples"]]
    images, labels = digit_models.files.features(Split.EVAL)
    assert [sample["label"] for sample in figures["samples"]] == labels[places].tolist()
    assert len(set(labels[places])) == 3
    inputs = np.rint(images[places] * 255 - 128).astype(np.int8)
    np.testing.assert_array_equal(found.samples.inputs.reshape(3, -1), inputs)


def test_the_example_says_what_the_images_are(made: Made, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made.folder, tmp_path / "micro"))
    done = compiled.run_example(compiled.library(folder, *ALL_FILES))
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads((made.folder / "micro.json").read_text())
    labels = figures["labels"]
    for line, sample in zip(done.stdout.splitlines(), figures["samples"], strict=True):
        start, _, scores = line.partition(", scores ")
        assert start == f"{labels[sample['label']]}: the model says {labels[sample['said']]}"
        np.testing.assert_allclose(
            [float(score) for score in scores.split()], sample["scores"], rtol=0, atol=0.0051
        )


@pytest.mark.parametrize(
    ("file", "pattern", "instead", "said"),
    [
        ("resolver.cc", r".*AddSub.*\n", "", "a kernel is missing"),
        ("resolver.h", r"<6>", "<5>", "a kernel is missing"),
        ("model.h", r"ARENA_BYTES \d+", "ARENA_BYTES 30000", "MODEL_ARENA_BYTES are too few"),
        ("samples.c", r"= \{(\d), (\d), (\d)\}", r"= {\2, \3, \1}", "the model says"),
    ],
)
def test_the_example_needs_all_that_was_found(
    made: Made, tmp_path: Path, file: str, pattern: str, instead: str, said: str
) -> None:
    folder = Path(shutil.copytree(made.folder, tmp_path / "micro"))
    text = (folder / file).read_text()
    (folder / file).write_text(re.sub(pattern, instead, text, count=1))
    assert (folder / file).read_text() != text
    done = compiled.run_example(compiled.library(folder, *ALL_FILES))
    assert done.returncode == 1 and said in done.stdout


def test_images_that_are_read_wrongly(
    settings: dict[str, str], digit_models: DigitModels, tmp_path: Path
) -> None:
    """Here since the labels of the data set are wrong."""
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    for split, (images_name, labels_name) in zip(
        (Split.TRAIN, Split.EVAL), (FILE_NAMES[:2], FILE_NAMES[2:]), strict=True
    ):
        images, labels = digit_models.files.features(split, 0, 60)
        pixels = np.rint(images * 255).astype(np.uint8).reshape(-1, 28, 28)
        write_idx(wrong / images_name, pixels)
        write_idx(wrong / labels_name, ((labels + 1) % 10).astype(np.uint8))
    output = tmp_path / "output"
    shutil.copytree(settings["OUTPUT"], output, ignore=shutil.ignore_patterns("micro"))
    made = make_micro({**settings, "OUTPUT": str(output), "DATASET": str(wrong)})
    assert made.status == 1
    assert made.err.startswith(f"error: {output}/device/7/int8_io.tflite: reads 0 of 3 test images")
    assert (made.folder / "micro.json").exists()


def test_without_a_model_in_integers(digit_models: DigitModels, tmp_path: Path) -> None:
    output = push(tmp_path / "digits", digit_models.tflite_paths, ("float32",))
    made = make_micro({"OUTPUT": str(output)})
    assert made.status == 2 and not made.folder.exists()
    assert made.err.startswith(f"error: {output}/device/7: holds float32, expected int8_io")
    assert "among its RECIPES" in made.err
