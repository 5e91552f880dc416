"""`python -m examples.keras_reuse`: from its command line to its rows, and its errors."""

import json
from pathlib import Path

import pytest

from data.dataset import Dataset
from data.errors import WRONG_SETTING
from examples.keras_reuse import Options, _inputs, _options, _parser, _tell, compare, main
from examples.reuse.rows import Row
from examples.reuse.tasks import classes_of, make_pool, tasks_of
from pipeline.running import environment

METHODS = ["head on raw pixels", "head on the extractor", "head, then all", "CNN from scratch"]


@pytest.fixture(autouse=True)
def settings(cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment._OWN:
        monkeypatch.setenv(name, "")  # to be as it was afterwards
    monkeypatch.setenv("DATA_CACHE", str(cache_dir))
    monkeypatch.setenv("DATASET", "digits")
    monkeypatch.setenv("OUTPUT", str(tmp_path))
    monkeypatch.delenv("MNIST_DIR", raising=False)


def test_every_method_is_compared(base: str, capfd: pytest.CaptureFixture[str]) -> None:
    few = ["--classes", "5,6,7", "--images", "30", "--seeds", "1", "--steps", "40", "--test", "60"]
    assert main([base, *few, "--json"]) == 0
    said = capfd.readouterr()
    found = json.loads(said.out)
    assert found["base_classes"] == 10
    rows = found["rows"]
    assert [row["method"] for row in rows] == METHODS
    for row in rows:
        assert (row["task"], row["images"], row["tested"]) == ("digits: 5 6 7", 30, 60)
        assert len(row["accuracies"]) == 1 and row["mean"] == row["accuracies"][0]
    assert min(row["mean"] for row in rows if "extractor" in row["method"]) > 0.7
    assert "digits: 5 6 7, 30 images, seed 0: head on raw pixels" in said.err


def test_other_rates_are_compared_on_validation_images(base: str, digits: Dataset) -> None:
    pool = make_pool(digits, classes_of(digits, "01"), 10)
    options = Options((2,), (0,), steps=2, tested=10, scales=(2.0,))
    rows = list(compare(base, (28, 28, 1), pool, options))
    assert [row.rate for row in rows] == [0.006, 0.006, 0.0006, 0.002]
    assert {row.tested for row in rows} == {len(pool.validation[1])}
    assert len(pool.validation[1]) != len(pool.test[1])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--images", "10,"], "--images= : expected a whole number from 2 to 1000000"),
        (["--images", "1"], "--images=1: expected a whole number"),
        (["--seeds", "none"], "--seeds=none: expected a whole number from 1 to 100"),
        (["--scales", "0"], "--scales=0: expected a number from 1e-06"),
        (["--data", "no\nname"], "--data='no\\nname': expected text"),
        (["--data", "letters"], "unknown data set 'letters'; expected one of auto, digits"),
        (["--data", "fashion-mnist"], "fashion-mnist: its files are not on disk"),
        (["--classes", "1,x"], "--classes: digits has no class 'x'; expected some of 0, 1"),
    ],
)
def test_a_wrong_argument_is_told_in_a_sentence(
    arguments: list[str], said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), *arguments]) == WRONG_SETTING
    told = capfd.readouterr().err
    assert told.startswith(f"error: {said}") and told.count("\n") == 1


def test_no_base(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([]) == WRONG_SETTING
    told = f"error: {tmp_path}/serving: no SavedModel was pushed there; `make run` pushes one"
    assert capfd.readouterr().err.startswith(told)
    assert main([str(tmp_path)]) == WRONG_SETTING
    assert capfd.readouterr().err.startswith(f"error: {tmp_path}: there is no SavedModel")


def test_more_images_than_there_are(base: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([base, "--images", "10,5000"]) == WRONG_SETTING
    _, said = capfd.readouterr().err.splitlines()
    assert said.startswith(
        "error: --images 5000: only 1,147 training images are there for the task"
    )


def test_numbers_of_the_command_line() -> None:
    args = ["--images", "10, 20,10", "--seed", "4", "--seeds", "2", "--scales", "0.5,2"]
    assert _options(_parser().parse_args(args)) == Options((10, 20), (4, 5), 300, 2000, (0.5, 2.0))


def test_what_is_asked_by_default_and_of_data_that_is_named() -> None:
    args = _parser().parse_args(["/a/base"])
    assert [task.num_classes for task in _inputs(args)[2]] == [2, 2, 4]
    args = _parser().parse_args(["/a/base", "--data", "digits"])
    base, dataset, [task] = _inputs(args)
    assert (base, dataset.name, task.num_classes) == ("/a/base", "digits", 10)


def test_the_table_says_what_it_is_of(digits: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    asked = tasks_of(digits)[:1]
    rows = [Row("even or odd", METHODS[1], 0.003, 10, 364, (0.8, 0.9))]
    _tell(rows, asked, Options((10,), (0, 1), 300, 2000))
    said = capsys.readouterr().out
    assert "85.0% (80.0%-90.0%)" in said
    assert "accuracy on 364 test images; mean (range) of 2 draws of the labelled images" in said
    assert "300 steps" in said and f"even or odd: {asked[0].note}" in said
    _tell(rows, asked, Options((10,), (0, 1), 300, 2000, (1.0,)))
    assert "accuracy on 364 validation images" in capsys.readouterr().out
