"""What Vela says, and what it leaves to the CPU."""

import json
from pathlib import Path

import pytest

from apps.micro import vela
from data.errors import DataError
from modules.export.graph import flatbuffer
from tests.apps.micro.conftest import Made
from tests.support.digit_models import DigitModels

U55 = vela.ACCELERATORS[0]


def test_the_models_for_npus_and_their_figures(made: Made) -> None:
    npus = json.loads((made.folder / "micro.json").read_text())["npus"]
    assert [npu["accelerator"] for npu in npus] == [
        *("ethos-u55-128", "ethos-u65-256", "ethos-u85-256")
    ]
    for npu in npus:
        assert flatbuffer.operators(str(made.folder / "vela" / npu["file"])) == ["CUSTOM:ethos-u"]
        assert npu["cpu_operators"] == [] and npu["npu_operators"] > 0
        assert 20_000 < npu["sram_bytes"] < 60_000
        # The weights are somewhere, and a second has as many cycles as the clock says.
        assert 600_000 < npu["flash_bytes"] + npu["dram_bytes"] < 840_000
        assert npu["inferences_per_second"] == pytest.approx(npu["clock_hz"] / npu["cycles"])
    assert sorted(path.name for path in (made.folder / "vela").iterdir()) == [
        f"{npu['accelerator']}.tflite" for npu in npus
    ]


def test_what_an_npu_does_not_run_is_left_to_the_cpu(
    made: Made, digit_models: DigitModels, tmp_path: Path
) -> None:
    found = vela.compile_for(U55, Path(digit_models.tflite_paths["float32"]), tmp_path)
    assert found.npu_operators == 0 and len(found.cpu_operators) == 10
    assert found.cpu_operators[-2:] == ("Dense_0", "logits")


def test_a_file_that_vela_cannot_read(made: Made, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"no model")
    with pytest.raises(DataError, match="Vela cannot compile it for ethos-u55-128"):
        vela.compile_for(U55, tmp_path / "model.tflite", tmp_path)
