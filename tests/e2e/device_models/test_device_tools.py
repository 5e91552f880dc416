"""What a run has pushed for devices goes through the tools that come next."""

from pathlib import Path

from modules.export.graph import flatbuffer
from modules.export.recipes import RECIPES
from tests.e2e.support.harness import Run
from tests.support import device_tools


def test_pushed_models_go_through_the_tools_that_come_next(digits_run: Run, tmp_path: Path) -> None:
    folder = Path(digits_run.comparison()["models"][1]["pushed_to"])
    models = sorted(folder.glob("*.tflite"))
    assert {path.stem for path in models} == set(RECIPES)
    for path in device_tools.quantize("dynamic_wi8_afp32", models, tmp_path):
        original = flatbuffer.operators(str(folder / path.name))
        assert flatbuffer.operators(str(path)) == original
    compiled, report = device_tools.compile_for_npu(
        folder / "int8_io.tflite", "ethos-u55-128", tmp_path / "compiled"
    )
    assert "CPU operators = 0 (0.0%)" in report
    assert flatbuffer.operators(str(compiled)) == ["CUSTOM:ethos-u"]
