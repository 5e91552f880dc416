"""Tools that take device models further, in environments of their own."""

import platform
import subprocess
import sys
from pathlib import Path

from data.files import PROJECT_ROOT
from tests.support.machine import lacks

RUN_MODEL = PROJECT_ROOT / "apps" / "micro" / "run_model.py"
_SCRIPT = PROJECT_ROOT / "tests" / "support" / "with_device_tools.py"


def run_tool(environment: str, program: str, *arguments: str | Path) -> str:
    """Runs a program of `.venv-ENVIRONMENT` to its good end and returns what it printed.

    Without the environment the test is skipped, or fails if REQUIRE_ENVIRONMENT=1.
    """
    done = run(environment, program, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run(environment: str, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The same, to whatever end."""
    path = PROJECT_ROOT / f".venv-{environment}" / "bin" / program
    if not path.exists():
        lacks(environment.upper(), f"{path} is not there: make {environment}-setup")
    return subprocess.run([path, *arguments], capture_output=True, text=True, timeout=600)


def needs_tflite_micro() -> None:
    """Skips the test, or fails it if REQUIRE_MICRO=1, on machines that it has no wheel for."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        lacks("MICRO", "TFLite Micro has wheels for Linux on x86-64 alone")


def quantize(
    recipe: str, models: list[Path], folder: Path, images: Path | None = None
) -> list[Path]:
    """Quantizes models by a recipe of ai-edge-quantizer's; the results lie in the folder.

    Args:
      recipe: its name.
      models: to quantize.
      folder: for the results, of the models' names.
      images: raw float32[N, 784], a .npy file, for recipes with ranges of activations.
    """
    run_tool("tools", "python", _SCRIPT, "quantize", recipe, folder, images or "", *models)
    return [folder / model.name for model in models]


def compile_for_npu(model: Path, accelerator: str, folder: Path) -> tuple[Path, str]:
    """Compiles a model by Vela; returns the compiled one and what Vela says of it."""
    report = run_tool(
        "micro", "vela", model, "--accelerator-config", accelerator, "--output-dir", folder,
        "--show-cpu-operations",
    )  # fmt: skip
    return folder / f"{model.stem}_vela.tflite", report
