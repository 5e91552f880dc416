"""Every setting with what people mistype: one line that names it, status 2, nothing begun."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from data import texts
from data.errors import WRONG_SETTING, ConfigError, DataError
from data.forms.idx import write_idx
from data.forms.idx_names import FILE_NAMES
from pipeline import kubeflow_runner, local_runner, setting_values, settings
from pipeline.airflow import up
from pipeline.settings import COMMAND_SETTINGS, SETTINGS

TEXTS = ("a\nb", "a\rb", "a\0b", "\udcff", "\x1b[31mred", "a\u2028b")
NUMBERS = (
    *(
        "1e3",
        "0x10",
        " 3 ",
        "\uff13",
        "1_0",
        "-1",
        "-0",
        "+1",
        "1,5",
        "1.5.5",
        "--1",
        "True",
        "abc",
    ),
    *("nan", "inf", "1e400", "1.5", str(10**10), str(10**30), "9" * 5000),
)
LONG = "a" * 300
PATHS = ("~nosuchuser/x", f"/tmp/{LONG}", "/tmp" + "/a" * 5000, "/x/o[1]", "/x/o*", "/x/o?", "loop")
URIS = ("ftp://x", "file://relative", "s3://", "gs:///x", "s3://bucket/o[1]")
WRONG = {
    "DATASET": (*PATHS, *URIS, "mnits", "file", " ", "-h"),
    "IMAGE_SIZE": (*NUMBERS, "0", "225", "0x5", "28x", "x28", "28X28", "28 x 28", "1x2x3"),
    "MNIST_DIR": (*PATHS, *URIS, "file", "/no/such"),
    "MODEL": (*PATHS, *URIS, "ccn", "file", "./file", "/no/such.py", ".", " ", "-h"),
    "PARAMS": (*PATHS, *URIS, "file", "/no/such.npz", "tiny", " "),
    "BATCH_SIZES": (
        *(text for text in NUMBERS if text not in ("1,5", " 3 ")),
        *("0", "0,1", "1,,2", ",", "1;2", "4097", "1,2,3,4,5,6,7,8,9"),
    ),
    "PERSONALIZE": (
        *("softmax,lion", "sofmax,sgd", "softmax,", ",sgd", "last:,sgd", "last:x,sgd", ","),
        *("/no/such.py,adam", "softmax,sgd,adam", " "),
    ),
    "DATA_CACHE": (*PATHS, *URIS, "file", "file/below", "/proc/x"),
    "OUTPUT": (*PATHS, *URIS, "s3://bucket/o", "file", "file/below", "/proc"),
    "EPOCHS": (*NUMBERS, "0", str(10**9)),
    "SEED": (*NUMBERS, str(2**32)),
    "TRIALS": (*NUMBERS, str(10**9)),
    "STAGE_BEAM": (*NUMBERS, "2", "yes"),
    "MIN_ACCURACY": (*NUMBERS, "97%", ".", "1e1"),
    "MAX_LATENCY_US": ("nan", "inf", "-1", "0x10", " 3 ", "\uff13", "1e30", "9" * 5000, "abc"),
    "RUNTIMES": ("litert", ",", " ", "none,tflm", "tflm;wasm", "reference,,builtin", "x" * 5000),
    "PARITY_IMAGES": (*NUMBERS, str(10**8)),
    "RECIPES": ("int4", ",", " ", "float32;int8", "float32,,int8", "x" * 5000),
    "METADATA": (
        *("x", "mysql://", "mysql://me@db:99999/mlmd", "mysql://me@db:0/mlmd", "sqlite:///x"),
        *("mysql://me@127.0.0.1:9/mlmd", f"mysql://me@{LONG}/mlmd", "mysql://me@a..b/mlmd"),
    ),
    "PIPELINE_NAME": ("a b", "1st", "a.b", "a" * 64, "é", "x" * 5000),
    "PIPELINE_ROOT": (*PATHS, *URIS, "file", "file/below", "/proc/x"),
    "PUSH_TO": (*PATHS, *URIS, "file", "file/below", "/proc/x"),
    "BEAM_RUNNER": ("storm", " ", "x" * 5000),
    "BEAM_ARGS": ("x", "'", "--runner=PrismRunner", "--direct_num_workers=many", "-x"),
}
# Where the setting counts.
WITH = {"MNIST_DIR": {"DATASET": "mnist"}, "DATA_CACHE": {"DATASET": "digits"}}
CASES = [
    pytest.param(name, value, id=f"{name}={value[:40]!r}")
    for name in SETTINGS
    for value in (*WRONG[name], *TEXTS)
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a small data set, a file and a link to itself."""
    (tmp_path / "tiny").mkdir()
    for images, labels in (FILE_NAMES[:2], FILE_NAMES[2:]):
        write_idx(tmp_path / "tiny" / images, np.zeros((1, 28, 28), np.uint8))
        write_idx(tmp_path / "tiny" / labels, np.zeros(1, np.uint8))
    (tmp_path / "file").write_text("kept")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Runs with settings that must be refused; returns the one line that is shown."""

    def run(**given: str) -> str:
        kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        right = {"DATASET": str(folder / "tiny"), "OUTPUT": str(folder / "output")}
        # As it may come from others than the system, which takes no NUL.
        monkeypatch.setattr(os, "environ", {**kept, **right, **given})
        monkeypatch.setattr(local_runner, "run", lambda config: pytest.fail(f"took {given}"))
        assert local_runner.main() == WRONG_SETTING
        shown = capsys.readouterr()
        [line] = shown.err.splitlines()
        assert shown.out == "" and line.startswith("error: ") and len(line) < 12_000
        assert (folder / "file").read_text() == "kept"
        return line

    return run


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_wrong_value_is_told_in_a_line(
    refused: Callable[..., str], name: str, value: str
) -> None:
    line = refused(**{**WITH.get(name, {}), name: value})
    assert name in line or f"{value!r}" in line or line.startswith(f"error: {value}")


def test_the_table_has_every_setting() -> None:
    assert WRONG.keys() == set(SETTINGS)
    assert not set(SETTINGS) & set(COMMAND_SETTINGS)


@pytest.mark.parametrize(
    "name", ["DATASET", "MNIST_DIR", "DATA_CACHE", "OUTPUT", "PIPELINE_ROOT", "PUSH_TO"]
)
def test_a_folder_that_others_keep_closed(
    refused: Callable[..., str], folder: Path, name: str
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0)
    anybody_s = folder / "anybody's"
    anybody_s.mkdir()
    anybody_s.chmod(0o777)
    with as_anybody(folder):
        line = refused(TMPDIR=str(anybody_s), **WITH.get(name, {}), **{name: str(closed / "below")})
    assert f"{name}={closed / 'below'}: cannot be accessed (Permission denied)" in line


@contextlib.contextmanager
def as_anybody(folder: Path) -> Iterator[None]:
    """As a user to whom permissions apply, who may go to `folder` all the same."""
    if os.geteuid():
        yield
        return
    for path in (folder, *folder.parents[:3]):
        path.chmod(path.stat().st_mode | 0o055)  # one of them may be the system's own /tmp
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_name_of_the_data_that_is_too_long_for_tfx(
    refused: Callable[..., str], folder: Path
) -> None:
    data = (folder / "tiny").rename(folder / LONG[:54])
    line = refused(DATASET=str(data))
    assert "64 characters long, and TFX takes 63; give another as PIPELINE_NAME" in line
    given = {"DATASET": str(data), "OUTPUT": str(folder / "o"), "PIPELINE_NAME": "short"}
    assert settings.config_from_environment(given).pipeline_name == "short"
    data = data.rename(folder / LONG[:53])
    name = settings.config_from_environment({**given, "DATASET": str(data), "PIPELINE_NAME": ""})
    assert len(name.pipeline_name) == 63


def test_what_nobody_typed_and_tfx_reads_as_a_pattern(
    refused: Callable[..., str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project's own folder, where OUTPUT and the data are by default."""
    monkeypatch.setattr("data.files.OUTPUTS", folder / "mine [new]" / "output")
    assert "mine [new]/output/tiny: TFX reads '['" in refused(OUTPUT="")
    monkeypatch.setattr("data.cache.IN_PROJECT", folder / "mine [new]" / "cache")
    assert "cache/digits: TFX reads '['" in refused(DATASET="digits")


def test_a_link_to_a_name_with_a_line_s_end(refused: Callable[..., str], folder: Path) -> None:
    (folder / "link").symlink_to((folder / "tiny").rename(folder / "two\nlines"))
    assert "control characters" in refused(DATASET=str(folder / "link"))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("IMAGE", ("", "A B", "x:y:z", "-", "é", "a\n")),
        ("TRAINER_IMAGE", ("A B", "a\nb")),
        ("TRAINER_GPUS", (*NUMBERS, "1025")),
        ("GPU_TYPE", ("a b", "a\nb", "é", " ", "x" * 5000)),
        ("DATA_ROOT", (*TEXTS, "s3://bucket/o[1]", "ftp://x", "~nosuchuser/x")),
    ],
)
def test_kubeflow_s_settings(name: str, values: tuple[str, ...]) -> None:
    for value in values:
        given = {"IMAGE": "registry/mnist:1", name: value}
        with pytest.raises(ConfigError, match=f"^{name}[= ]") as caught:
            kubeflow_runner.containers_from_environment(given)
        assert "\n" not in str(caught.value), value


@pytest.mark.parametrize("value", [*NUMBERS, "0", "65536", "80\n"])
def test_a_port_that_is_none(value: str) -> None:
    with pytest.raises(ConfigError, match="^AIRFLOW_PORT="):
        up._free_port({"AIRFLOW_PORT": value})


def test_batch_sizes_are_sorted_and_each_once() -> None:
    given = {"BATCH_SIZES": "128, 1,16,1"}
    assert setting_values.batch_sizes(given) == (1, 16, 128)
    assert setting_values.batch_sizes({"BATCH_SIZES": ""}) == ()


def test_a_switch_is_0_or_1() -> None:
    read = [texts.switch({"DRY_RUN": value}, "DRY_RUN", False) for value in ("", "0", "1")]
    assert read == [False, False, True]
    for value in ("2", "yes", "True", " 1"):
        with pytest.raises(ConfigError, match=f"^DRY_RUN={value}: expected a whole number from 0"):
            texts.switch({"DRY_RUN": value}, "DRY_RUN", False)


def test_data_errors_are_refusals_too(refused: Callable[..., str], folder: Path) -> None:
    (folder / "tiny" / FILE_NAMES[0]).unlink()
    assert FILE_NAMES[0] in refused() and issubclass(DataError, Exception)
