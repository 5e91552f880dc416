"""The RuntimeParity component on real models: what it asks, what it tells, what cannot stop it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tfx.types import Channel
from tfx.types.standard_artifacts import Examples, Model

from data.files import file_sha256
from data.splits import Split
from modules.examples import tf_examples
from modules.inference import litert
from modules.inference.runtimes.catalogue import RUNTIMES, Runtime
from pipeline.components.artifacts import RuntimeAnswers
from pipeline.components.parity.component import RuntimeParity
from pipeline.components.parity.executor import Executor
from pipeline.verdict.runtimes import compared
from pipeline.verdict.runtimes.compared import ComparedFile
from tests.pipeline.components.generated import write_examples
from tests.support.digit_models import NUM_IMAGES, DigitModels
from tests.support.runtimes import add_runtime

IMAGES = 30
Run = Callable[..., dict[str, ComparedFile]]


@pytest.fixture(scope="module")
def examples(digit_models: DigitModels, tmp_path_factory: pytest.TempPathFactory) -> Examples:
    """The images of the fixture as the split eval, in several files."""
    artifact = Examples()
    artifact.uri = str(tmp_path_factory.mktemp("examples"))
    artifact.split_names = '["eval"]'
    place = Path(artifact.uri) / "Split-eval"
    place.mkdir()
    for start in range(0, NUM_IMAGES, 60):
        stop = min(start + 60, NUM_IMAGES)
        shard = str(place / f"shard-{start:03}.gz")
        write_examples(digit_models.files, start, stop, Split.EVAL, shard)
    return artifact


@pytest.fixture
def models(digit_models: DigitModels, tmp_path: Path) -> dict[str, Model]:
    """What Quantizers leave, to be changed by a test; that of int8 was refused."""
    found = {}
    for name in ("float32", "int8", "int8_io"):
        serving = tmp_path / name / "Format-Serving"
        serving.mkdir(parents=True)
        if name != "int8":
            shutil.copy(digit_models.tflite_paths[name], serving / "tflite")
        found[name] = Model()
        found[name].uri = str(tmp_path / name)
    return found


@pytest.fixture
def run(examples: Examples, models: dict[str, Model], tmp_path: Path) -> Run:
    def run(*runtimes: str, images: int = IMAGES) -> dict[str, ComparedFile]:
        answers = RuntimeAnswers()
        answers.uri = str(tmp_path / "answers")
        inputs = {"examples": [examples], **{name: [each] for name, each in models.items()}}
        versions = json.dumps(dict.fromkeys(runtimes))
        Executor().Do(inputs, {"answers": [answers]}, {"runtimes": versions, "images": images})
        return compared.read(tmp_path / "answers")

    return run


def test_every_file_is_run_in_every_runtime(
    run: Run, models: dict[str, Model], examples: Examples
) -> None:
    found = run("xnnpack", "reference")
    assert list(found) == ["float32", "int8_io"]
    for name, of_file in found.items():
        path = str(Path(models[name].uri, "Format-Serving", "tflite"))
        assert of_file.sha256 == file_sha256(Path(path))
        assert list(of_file.runtimes) == ["xnnpack", "reference"]
        assert (of_file.not_run, of_file.failed) == ({}, ())
        metrics = of_file.runtimes["reference"]
        assert metrics.images == IMAGES and metrics.agreement == 1.0
        is_quantized = name == "int8_io"
        assert (metrics.max_step_difference is not None) == is_quantized
        assert (metrics.max_logit_difference > 1e-3) == is_quantized
        # Every so many of the images, the first and the last included.
        (images, labels), *_ = tf_examples.read_raw([f"{examples.uri}/*/*"])
        rows = np.rint(np.linspace(0, NUM_IMAGES - 1, IMAGES)).astype(int)
        logits = litert.predict(path, images[rows])
        right = logits.argmax(axis=1) == labels[rows]
        assert of_file.runtimes["xnnpack"].accuracy == right.mean()
        assert of_file.logit_spread == pytest.approx(logits.std(), rel=1e-3)


FLIP = """
answer()
if "int8_io" in model:
    values = np.fromfile(outputs, np.int8).reshape(-1, 10)
    values[[4, 9]] = np.roll(values[[4, 9]], 1, axis=1)
    values.tofile(outputs)
"""


@pytest.mark.parametrize(("images", "row"), [(IMAGES, 27), (0, 4), (10**6, 4)])
def test_the_first_image_is_named_by_its_place_in_the_test_set(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: int, row: int
) -> None:
    add_runtime(monkeypatch, tmp_path, "flipping", FLIP)
    found = run("xnnpack", "flipping", images=images)
    assert found["float32"].runtimes["flipping"].first_difference is None
    metrics = found["int8_io"].runtimes["flipping"]
    assert metrics.images == (images if images == IMAGES else NUM_IMAGES)
    assert metrics.agreement == 1 - 2 / metrics.images
    first = metrics.first_difference
    assert first.image == row and first.found == (first.expected + 1) % 10


def test_nothing_that_goes_wrong_in_a_runtime_stops_it(
    run: Run, models: dict[str, Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_runtime(monkeypatch, tmp_path, "crashing", "os.kill(os.getpid(), 6)")
    add_runtime(monkeypatch, tmp_path, "refusing", "print('no SUM', file=sys.stderr); sys.exit(3)")
    gone = Runtime("gone", "", ("no/such.py",), "make nothing")
    monkeypatch.setitem(RUNTIMES, "gone", gone)
    file = Path(models["float32"].uri, "Format-Serving", "tflite")
    file.write_bytes(file.read_bytes()[:100_000])
    found = run("xnnpack", "gone", "refusing", "crashing")
    sound, damaged = found["int8_io"], found["float32"]
    assert list(sound.runtimes) == ["xnnpack"] and sound.failed == ("crashing",)
    assert list(sound.not_run) == ["gone", "refusing", "crashing"]
    assert sound.not_run["refusing"] == "refusing cannot run this file: no SUM"
    assert damaged.sha256 == file_sha256(file)
    assert damaged.runtimes == {} and damaged.logit_spread is None
    assert set(damaged.not_run) == {"xnnpack", "gone", "refusing", "crashing"}


def test_without_xnnpack_there_is_nothing_to_compare_with(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_runtime(monkeypatch, tmp_path, "xnnpack", "sys.exit('gone')")
    found = run("xnnpack", "builtin")["float32"]
    assert found.runtimes == {} and found.failed == ("xnnpack",)
    assert found.not_run == {
        "xnnpack": "xnnpack failed with status 1: gone",
        "builtin": "there is nothing to compare it with, since xnnpack failed with status 1: gone",
    }


def test_what_is_installed_later_runs_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked() -> dict[str, str | None]:
        component = RuntimeParity(Channel(type=Examples), {}, ("xnnpack", "made"), 5)
        return json.loads(component.exec_properties["runtimes"])

    add_runtime(monkeypatch, tmp_path, "made", "answer()")
    script = tmp_path / "made.py"
    before = asked()
    assert before["xnnpack"] and before["made"]
    script.write_text("other")
    after = asked()
    assert after["made"] not in (None, before["made"])
    script.unlink()
    assert asked() == {**before, "made": None}
