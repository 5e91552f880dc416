"""The command: tables for people, JSON for programs, and its exit status."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from data.files import PROJECT_ROOT
from modules.inspection import __main__ as command
from modules.inspection import report, tables
from tests.modules.inspection import made_models
from tests.support.digit_models import DigitModels


def shown(model: report.DeviceModel | report.ServerModel, width: int = 80) -> str:
    text = io.StringIO()
    tables.show(model, Console(file=text, width=width, highlight=False))
    return text.getvalue()


def test_json_of_a_device_model(
    digit_models: DigitModels, capfd: pytest.CaptureFixture[str]
) -> None:
    path = digit_models.tflite_paths["int8_io"]
    capfd.readouterr()  # of its making
    assert command.main([path, "--json"]) == 0
    out, err = capfd.readouterr()
    found = json.loads(out)
    assert (found["kind"], found["path"], err) == ("tflite", path, "")
    [tensor] = found["signatures"][0]["inputs"]
    assert tensor["shape"] == [None, 784] and tensor["quantization"]["zero_points"]


def test_a_process_of_its_own_prints_the_report_alone(tmp_path: Path) -> None:
    """FILE and JSON come from make as variables; libraries are silent while they are imported."""
    made_models.save_reusable(tmp_path / "saved")
    variables = {"FILE": str(tmp_path / "saved"), "JSON": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-m", "modules.inspection"],
        cwd=PROJECT_ROOT,
        env=variables,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["fine_tuning"]["is_possible"] is True


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        ([], {}, "FILE is not set"),
        ([], {"FILE": "/no/such/model"}, "cannot read /no/such/model"),
        (["/no/such\nmodel"], {}, "cannot read /no/such model"),
        (["x.tflite"], {"JSON": "yes"}, "JSON=yes: expected 0 or 1"),
    ],
)
def test_what_is_wrong_is_one_line(
    arguments: list[str],
    variables: dict[str, str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in ("FILE", "JSON"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert command.main(arguments) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.startswith(f"error: {words}") and len(err.splitlines()) == 1


DEVICE_MODEL = report.DeviceModel(
    path="a.tflite",
    bytes=1234,
    description="made\x1b[31m",
    signatures=(
        report.Signature(
            "serve",
            (
                report.Tensor(
                    "[red]x" * 20, "int8", (None, 4), report.Quantization((0.25,), (-128,))
                ),
            ),
            (report.Tensor("y", "float32", None),),
        ),
    ),
    operators=(report.Operator("ADD", 3, 2), report.Operator("CUSTOM:a", 1, None)),
    parameters=(report.Parameters("int8", 5000, 5000),),
    problem="",
)


def test_tables_fit_and_have_all_that_is_known() -> None:
    text = shown(DEVICE_MODEL)
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text and "[red]x[red]x" in text
    for words in ("scale 0.25, zero point -128", "[any, 4]", "5,000", "a.tflite: TFLite, 1,234"):
        assert words in text, words
    rows = [line.split() for line in text.splitlines()]
    assert ["ADD", "3", "2"] in rows and ["CUSTOM:a", "1", "?"] in rows


def test_what_litert_refuses_has_no_column_of_xnnpack() -> None:
    text = shown(report.DeviceModel(**{**vars(DEVICE_MODEL), "problem": "it ends"}))
    assert "XNNPACK" not in text and "LiteRT does not take it: it ends" in text


def test_a_server_model_as_a_table() -> None:
    many = tuple(report.Variable(f"v{n}", "float32", (2,), 2) for n in range(25))
    model = report.ServerModel(
        path="folder",
        bytes=10,
        graph_bytes=4,
        variable_bytes=6,
        tags=("serve",),
        tensorflow="2.0",
        signatures=(),
        operators=(report.Operator("Add", 1),),
        stablehlo=None,
        unknown_operators=("Mine",),
        reaching_operators=("ReadFile",),
        parameters=(),
        constants=7,
        batch_sizes=(1, None),
        fine_tuning=report.FineTuning(True, "it may", many),
    )
    text = shown(model)
    for words in (
        "no signatures",
        "cannot be read",
        "does not know: Mine",
        "ReadFile",
        "7 floating-point numbers",
        "traced for: 1, any",
        "fine-tuned: yes: it may",
        "trainable: 50",
        "and 5 more",
    ):
        assert words in text, words
    assert max(map(len, text.splitlines())) <= 110  # sentences are not broken
