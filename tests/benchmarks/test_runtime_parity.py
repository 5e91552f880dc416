"""Every runtime on every file: what a row of the table says."""

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import runtime_parity
from modules.inference.runtimes.catalogue import RUNTIMES, STANDARD, Runtime
from tests.support.digit_models import DigitModels
from tests.support.runtimes import add_runtime

IMAGES = 20
# XNNPACK, but for one logit of the first image, which is a step larger.
A_STEP_OFF = """
answer()
found = np.fromfile(outputs, np.int8)
found[0] += 1
found.tofile(outputs)
"""


def test_rows(
    digit_models: DigitModels,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    add_runtime(monkeypatch, tmp_path, "other", A_STEP_OFF)
    refuses = Runtime("refuses", "", (sys.executable, "-c", "import sys; sys.exit('too old')"))
    monkeypatch.setitem(RUNTIMES, "refuses", refuses)
    monkeypatch.setattr(runtime_parity, "installed", lambda: (STANDARD, "other", "refuses"))
    path = Path(digit_models.tflite_paths["int8_io"])
    labels = digit_models.logits[:IMAGES].argmax(axis=1)
    ours, other, refused = runtime_parity.compare(
        path, "int8_io", digit_models.images[:IMAGES], labels
    )
    assert (ours["runtime"], ours["accuracy"], ours["agreement"]) == (STANDARD, 1, 1)
    assert (ours["max_step_difference"], ours["differing_logits"]) == (0, 0)
    assert (other["runtime"], other["max_step_difference"]) == ("other", 1)
    assert other["differing_logits"] == 1 / (IMAGES * 10)
    assert refused == {"runtime": "refuses", "not_run": "refuses failed with status 1: too old"}
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("| `int8_io` | other | 100.00% | 100.00% | 1 | 0.50% |")
    assert lines[2] == "| `int8_io` | refuses | refuses failed with status 1: too old | | | | | |"
    assert len({line.count("|") for line in [*lines, *runtime_parity._HEADER.splitlines()]}) == 1
    assert np.isfinite(other["ms_per_image"])
