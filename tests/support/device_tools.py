"""Tools that take device models further, in an environment of their own."""

import subprocess
from pathlib import Path

from data.files import PROJECT_ROOT
from tests.support.machine import lacks

VENV = PROJECT_ROOT / ".venv-tools"
SCRIPT = PROJECT_ROOT / "tests" / "support" / "with_device_tools.py"


def run_tool(program: str, *arguments: str | Path) -> str:
    """Runs a program of the environment to its good end and returns what it printed.

    Without the environment the test is skipped, or fails if REQUIRE_TOOLS=1.
    """
    path = VENV / "bin" / program
    if not path.exists():
        lacks("TOOLS", f"{path} is not there: make tools-setup")
    done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


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
    run_tool("python", SCRIPT, "quantize", recipe, folder, images or "", *models)
    return [folder / model.name for model in models]


def compile_for_npu(model: Path, accelerator: str, folder: Path) -> tuple[Path, str]:
    """Compiles a model by Vela; returns the compiled one and what Vela says of it."""
    report = run_tool(
        "vela", model, "--accelerator-config", accelerator, "--output-dir", folder,
        "--show-cpu-operations",
    )  # fmt: skip
    return folder / f"{model.stem}_vela.tflite", report
