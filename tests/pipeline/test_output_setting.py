"""OUTPUT: its default, relative and impossible places."""

from pathlib import Path

import pytest

from data.errors import ConfigError, DataError
from data.files import PROJECT_ROOT
from pipeline.settings import config_from_environment


def test_output_defaults_to_the_name_of_the_data_set(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (PROJECT_ROOT / "pipeline" / "config.py").is_file()
    monkeypatch.setattr("data.files.OUTPUTS", tmp_path / "output")
    for output in ({}, {"OUTPUT": ""}):
        config = config_from_environment({"DATASET": environment["DATASET"]} | output)
        assert config.output == tmp_path / "output" / "tiny"


def test_relative_output_becomes_absolute(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = config_from_environment(environment | {"OUTPUT": "here/below"})
    assert config.output == tmp_path / "here" / "below"
    assert config.output.is_dir()


def test_unknown_data_set_is_refused_before_the_output_is_made(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="unknown data set 'mnits'"):
        config_from_environment(environment | {"DATASET": "mnits"})
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("below", [".", "further/below"])
def test_output_at_or_below_a_file(environment: dict[str, str], tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("kept")
    output = tmp_path / "file" / below
    with pytest.raises(ConfigError, match=rf"^OUTPUT={output}: cannot write there \(.+\); give a"):
        config_from_environment(environment | {"OUTPUT": str(output)})
    assert (tmp_path / "file").read_text() == "kept"


def test_output_in_an_object_store(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="^OUTPUT=s3://bucket/o: expected a folder of this"):
        config_from_environment(environment | {"OUTPUT": "s3://bucket/o", "DATASET": "/no/such"})


def test_output_below_the_home_folder(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    config = config_from_environment(environment | {"OUTPUT": "~/mine"})
    assert config.output == tmp_path / "mine"


def test_output_in_a_file_system_that_takes_no_files(environment: dict[str, str]) -> None:
    """The folder exists, so only the trial file shows it; /proc refuses root as well."""
    with pytest.raises(ConfigError, match="^OUTPUT=/proc: cannot write there"):
        config_from_environment(environment | {"OUTPUT": "/proc"})
