"""Runtimes of the tests' own: small scripts that stand in the catalogue beside the others."""

import sys
from pathlib import Path

import pytest

from data.files import PROJECT_ROOT
from modules.inference.runtimes.catalogue import RUNTIMES, Runtime

# What each script begins with; `answer()` writes what XNNPACK says.
_START = f"""
import os, sys
sys.path.insert(0, {str(PROJECT_ROOT)!r})
import numpy as np
from modules.inference.runtimes import run_model
model, inputs, outputs = sys.argv[1:]
def answer():
    assert run_model.main(["xnnpack", model, inputs, outputs]) == 0
"""


def add_runtime(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, script: str) -> None:
    """Puts a runtime into the catalogue whose command is Python code that is given three paths."""
    file = folder / f"{name}.py"
    file.write_text(_START + script)
    made = Runtime(name, f"a test's {name}", (sys.executable, str(file)), "make nothing")
    monkeypatch.setitem(RUNTIMES, name, made)
