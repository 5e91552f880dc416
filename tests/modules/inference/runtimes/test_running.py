"""Runtimes, each in a process of its own: what they answer, and what becomes of the others."""

import dataclasses
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from modules.export.recipes import RECIPES
from modules.inference import litert
from modules.inference.runtimes import running
from modules.inference.runtimes.catalogue import RUNTIMES, Runtime
from modules.inference.runtimes.running import NotRunError, Prepared
from modules.inference.runtimes.tensors import NotAModelError
from tests.support.digit_models import DigitModels
from tests.support.runtimes import add_runtime

ROWS = 12


@pytest.fixture
def int8_io(digit_models: DigitModels) -> Path:
    return Path(digit_models.tflite_paths["int8_io"])


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_answers_of_xnnpack_are_those_of_litert(digit_models: DigitModels, recipe: str) -> None:
    path, images = digit_models.tflite_paths[recipe], digit_models.images[:ROWS]
    alone = [litert.predict(path, images[row : row + 1]) for row in range(ROWS)]
    found = running.run("xnnpack", Path(path), images)
    np.testing.assert_array_equal(found.logits, np.concatenate(alone))
    assert found.is_quantized == RECIPES[recipe].integer_io
    assert found.stored.dtype == (np.int8 if found.is_quantized else np.float32)
    assert found.seconds > 0


def test_kernels_are_others(digit_models: DigitModels, int8_io: Path, tmp_path: Path) -> None:
    """On a network of int8 their rounding differs, by steps, and is always the same."""
    images = digit_models.images
    prepared = running.prepare(int8_io, images, tmp_path / "inputs")
    names = ("xnnpack", "builtin", "reference", "reference")
    found = running.run_all([(name, prepared) for name in names], tmp_path, at_once=2)
    stored = [each.stored.astype(int) for each in found]
    differences = [int(np.abs(each - stored[0]).max()) for each in stored]
    assert differences[0] == 0 and 0 < differences[2] < 10
    assert 0 < differences[1] < 10
    np.testing.assert_array_equal(stored[2], stored[3])
    assert [path.name for path in tmp_path.iterdir()] == ["inputs"]


def test_all_get_the_same_bytes(digit_models: DigitModels, int8_io: Path, tmp_path: Path) -> None:
    images = digit_models.images[:ROWS]
    prepared = running.prepare(int8_io, images, tmp_path / "inputs")
    (details,) = litert.make_interpreter(str(int8_io)).get_input_details()
    assert (tmp_path / "inputs").read_bytes() == litert.quantize(images, details).tobytes()
    assert (prepared.rows, prepared.input.scale) == (ROWS, details["quantization"][0])


FAILURES = {
    "import os; os.kill(os.getpid(), 11)": (f"over this file: {signal.strsignal(11)}", True),
    "sys.exit('no kernel for SUM')": ("failed with status 1: no kernel for SUM", True),
    "sys.exit(7)": ("failed with status 7: it did not say why", True),
    "print('one\\nno SUM', file=sys.stderr); sys.exit(3)": ("cannot run this file: no SUM", False),
    "sys.exit(f'wrong: {model}')": ("failed with status 1: wrong: tflite", True),
    "pass": (f"wrote 0 bytes for {ROWS} images, expected {10 * ROWS}", True),
    "answer(); os.truncate(outputs, 9)": ("wrote 9 bytes", True),
}


@pytest.mark.parametrize("script", FAILURES)
def test_what_goes_wrong_is_a_sentence(
    script: str,
    digit_models: DigitModels,
    int8_io: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_runtime(monkeypatch, tmp_path, "odd", script)
    message, is_failure = FAILURES[script]
    with pytest.raises(NotRunError, match="^odd ") as caught:
        running.run("odd", int8_io, digit_models.images[:ROWS])
    assert message in str(caught.value)
    assert caught.value.is_failure == is_failure


# Says which process it is, and does nothing more.
SLOW = Runtime("slow", "", ("sh", "-c", 'echo $$ > "$2.pid"; exec sleep 600'), "make nothing")
FAILING = Runtime("failing", "", ("false",), "make nothing")


@pytest.fixture
def slow(
    digit_models: DigitModels, int8_io: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Prepared:
    """What two runtimes of no Python are asked, which start at once on a busy machine, too."""
    for runtime in (SLOW, FAILING):
        monkeypatch.setitem(RUNTIMES, runtime.name, runtime)
    return running.prepare(int8_io, digit_models.images[:ROWS], tmp_path / "inputs")


def is_running(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


def test_one_that_hangs_is_stopped_and_others_go_on(slow: Prepared, tmp_path: Path) -> None:
    stopped, other = running.run_all([("slow", slow), ("failing", slow)], tmp_path, limit_s=1)
    assert isinstance(stopped, NotRunError) and not stopped.is_failure
    assert str(stopped) == "slow was stopped after 1 s"
    assert str(other) == "failing failed with status 1: it did not say why"
    assert not is_running(tmp_path / "0.out.pid")


def test_interrupted_it_leaves_no_process(
    slow: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid_file = tmp_path / "0.out.pid"

    def interrupt(seconds: float) -> None:
        if pid_file.exists() and pid_file.read_text():
            assert is_running(pid_file)
            raise KeyboardInterrupt
        sleep(seconds)

    sleep = time.sleep
    monkeypatch.setattr(running.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        running.run_all([("slow", slow)], tmp_path)
    assert not is_running(pid_file)


def test_secrets_are_not_handed_on(
    digit_models: DigitModels, int8_io: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYSQL_PWD", "secret")
    add_runtime(monkeypatch, tmp_path, "nosy", "sys.exit(' '.join(os.environ))")
    with pytest.raises(NotRunError, match="PATH") as caught:
        running.run("nosy", int8_io, digit_models.images[:1])
    assert "MYSQL" not in str(caught.value)


def test_one_that_is_not_installed(
    digit_models: DigitModels, int8_io: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = dataclasses.replace(RUNTIMES["tflm"], command=("no/such.py",))
    monkeypatch.setitem(RUNTIMES, "tflm", gone)
    with pytest.raises(NotRunError, match=r"tflm needs no/such.py.*`make micro-setup`") as caught:
        running.run("tflm", int8_io, digit_models.images[:1])
    assert not caught.value.is_failure


@pytest.mark.parametrize("runtime", ["xnnpack", "reference"])
def test_a_damaged_file_ends_no_more_than_its_process(
    runtime: str, digit_models: DigitModels, int8_io: Path, tmp_path: Path
) -> None:
    """Offsets in the part that says what the operators are lead anywhere."""
    content = bytearray(int8_io.read_bytes())
    random, told = np.random.default_rng(1), 0
    for _ in range(6):
        damaged = bytearray(content)
        for place in random.integers(len(content) - 6000, len(content), 40):
            damaged[place] ^= 0xFF
        (tmp_path / "damaged.tflite").write_bytes(damaged)
        try:
            found = running.run(runtime, tmp_path / "damaged.tflite", digit_models.images[:2])
            assert found.logits.shape[0] == 2
        except (NotRunError, NotAModelError) as error:
            told += bool(str(error))
    assert told


def test_images_of_another_size(digit_models: DigitModels, int8_io: Path) -> None:
    with pytest.raises(NotAModelError, match=r"takes 784 numbers .* have 783 pixels"):
        running.run("xnnpack", int8_io, digit_models.images[:2, 1:])
