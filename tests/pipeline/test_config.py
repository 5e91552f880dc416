"""Settings from the environment: defaults, what is refused, and that nothing waits for data."""

from pathlib import Path

import pytest

from data.errors import ConfigError, DataError
from modules.training.config import TrainConfig
from pipeline.config import PipelineConfig
from pipeline.settings import SETTINGS, config_from_environment
from pipeline.verdict.limits import Limits


def test_defaults(environment: dict[str, str], tmp_path: Path) -> None:
    config = config_from_environment(environment)
    assert (config.train.epochs, config.train.seed, config.limits) == (10, 0, Limits())
    assert config.train == TrainConfig()
    assert config.limits.min_accuracy == 0.97
    assert config.tuner_trials == 0
    assert config.recipes == ("float32", "float16", "dynamic_range", "int8", "int8_io")
    assert config.dataset.name == "tiny"
    assert config.output == tmp_path / "new" / "output"
    assert config.output.is_dir()
    assert list(config.output.iterdir()) == []  # the trial file is gone


def test_everything_set(environment: dict[str, str]) -> None:
    config = config_from_environment(
        environment
        | {"EPOCHS": "3", "SEED": "7", "MIN_ACCURACY": "0.5", "RECIPES": " int8, float32"}
        | {"TRIALS": "12", "METADATA": "mysql://me@db/mlmd", "PIPELINE_NAME": "mine_2"}
        | {"BEAM_RUNNER": "portable"}
    )
    assert config.train == TrainConfig(epochs=3, seed=7)
    assert config.tuner_trials == 12
    assert "--job_endpoint=embed" in config.beam_args
    assert config.recipes == ("float32", "int8")
    assert config.limits == Limits(min_accuracy=0.5)
    assert config.metadata == config.metadata_location == "mysql://me@db:3306/mlmd"
    assert config.pipeline_name == "mine_2"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EPOCHS", "1"),
        ("SEED", "0"),
        ("TRIALS", "0"),
        ("MIN_ACCURACY", "0"),
        ("MIN_ACCURACY", "1"),
        ("MAX_LATENCY_US", "250.5"),
    ],
)
def test_bounds_are_allowed(environment: dict[str, str], name: str, value: str) -> None:
    config = config_from_environment(environment | {name: value})
    found = {
        "EPOCHS": config.train.epochs,
        "SEED": config.train.seed,
        "TRIALS": config.tuner_trials,
        "MIN_ACCURACY": config.limits.min_accuracy,
        "MAX_LATENCY_US": config.limits.max_latency_us,
    }
    assert found[name] == float(value)


@pytest.mark.parametrize(
    ("root", "stage_beam", "is_right"),
    [("gs://bucket/root", "0", True), ("gs://bucket/root", "1", False), ("", "0", False)],
)
def test_dataflow_wants_artifacts_that_its_workers_reach(
    environment: dict[str, str], root: str, stage_beam: str, is_right: bool
) -> None:
    options = "--project=p --region=r --temp_location=gs://b/t --sdk_container_image=i"
    environment |= {"BEAM_RUNNER": "dataflow", "BEAM_ARGS": options}
    environment |= {"PIPELINE_ROOT": root, "STAGE_BEAM": stage_beam}
    if is_right:
        assert config_from_environment(environment).root == root
    else:
        with pytest.raises(ConfigError, match=f"PIPELINE_ROOT={root} and STAGE_BEAM={stage_beam}"):
            config_from_environment(environment)


def test_paths_are_below_output(environment: dict[str, str]) -> None:
    config = config_from_environment(environment)
    assert config.pipeline_name == "mnist-jax-tiny"
    below = {
        "pipeline_root": "pipeline",
        "metadata_file": "metadata.db",
        "serving_dir": "serving",
        "device_dir": "device",
        "report_dir": "report",
    }
    assert {name: Path(getattr(config, name)) for name in below} == {
        name: config.output / value for name, value in below.items()
    }
    assert config.metadata_location == str(config.output / "metadata.db")


def test_empty_strings_mean_the_default(environment: dict[str, str]) -> None:
    names = [name for name in SETTINGS if name not in ("DATASET", "OUTPUT")]
    empty = dict.fromkeys(names, "")
    assert config_from_environment(environment | empty) == config_from_environment(environment)


def test_cache_of_downloads(environment: dict[str, str], tmp_path: Path) -> None:
    settings = {"DATASET": "digits", "OUTPUT": environment["OUTPUT"]}
    config = config_from_environment(settings | {"DATA_CACHE": str(tmp_path / "cache")})
    assert config.dataset.location == tmp_path / "cache" / "digits"
    with pytest.raises(ConfigError, match="^DATA_CACHE=s3://bucket/c: expected a folder of this"):
        config_from_environment(settings | {"DATA_CACHE": "s3://bucket/c"})
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"cannot write to .*file/c \(.*set DATA_CACHE to a folder"):
        config_from_environment(settings | {"DATA_CACHE": str(tmp_path / "file" / "c")})


@pytest.mark.parametrize("dataset", [{}, {"DATASET": ""}])
def test_data_set_defaults_to_auto(environment: dict[str, str], dataset: dict[str, str]) -> None:
    """`auto` looks at MNIST_DIR, which an unknown name or a folder would not."""
    settings = {"OUTPUT": environment["OUTPUT"], "MNIST_DIR": "/no/such/mnist"} | dataset
    with pytest.raises(DataError, match="/no/such/mnist: no such folder"):
        config_from_environment(settings)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("EPOCHS", "0", "a whole number from 1 to 100000"),
        ("EPOCHS", "abc", "a whole number from 1 to 100000"),
        ("EPOCHS", "1.5", "a whole number from 1 to 100000"),
        ("EPOCHS", "nan", "a whole number from 1 to 100000"),
        ("SEED", "-1", "a whole number from 0 to 4294967295"),
        ("TRIALS", "-1", "a whole number from 0 to 10000"),
        ("TRIALS", "x", "a whole number from 0 to 10000"),
        ("TRIALS", "2.5", "a whole number from 0 to 10000"),
        ("MIN_ACCURACY", "1.1", "a number from 0 to 1"),
        ("MIN_ACCURACY", "-0.1", "a number from 0 to 1"),
        ("MIN_ACCURACY", "nan", "a number from 0 to 1"),
        ("MIN_ACCURACY", "97%", "a number from 0 to 1"),
        ("MAX_LATENCY_US", "-1", "a number from 0 to 1000000000"),
        ("MAX_LATENCY_US", "fast", "a number from 0 to 1000000000"),
    ],
)
def test_wrong_number_is_refused_before_any_data_work(
    tmp_path: Path, name: str, value: str, expected: str
) -> None:
    """The data set does not exist either, but the number is what is complained of."""
    settings = {"DATASET": "/no/such/data", "OUTPUT": str(tmp_path / "output"), name: value}
    with pytest.raises(ConfigError, match=f"^{name}={value}: expected {expected}$"):
        config_from_environment(settings)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["int4", "float32,int4", "float32,,int8", "float32;int8"])
def test_unknown_recipe_is_refused(tmp_path: Path, value: str) -> None:
    settings = {"DATASET": "/no/such/data", "OUTPUT": str(tmp_path / "output"), "RECIPES": value}
    with pytest.raises(ConfigError, match=f"^RECIPES={value}: there is no '.*'; expected names"):
        config_from_environment(settings)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("METADATA", "postgresql://me@db/mlmd"),
        ("METADATA", "mysql://db"),
        ("PIPELINE_NAME", "a b"),
        ("PIPELINE_NAME", "1st"),
        ("PIPELINE_NAME", "a.b"),
        ("PIPELINE_NAME", "a" * 64),
    ],
)
def test_wrong_store_or_name_is_refused_before_any_data_work(
    tmp_path: Path, name: str, value: str
) -> None:
    settings = {"DATASET": "/no/such/data", "OUTPUT": str(tmp_path / "output"), name: value}
    with pytest.raises(ConfigError, match=f"^{name}="):
        config_from_environment(settings)
    assert list(tmp_path.iterdir()) == []


def test_config_is_frozen_and_beam_runs_in_memory(environment: dict[str, str]) -> None:
    config = config_from_environment(environment)
    assert "--direct_running_mode=in_memory" in config.beam_args
    with pytest.raises(AttributeError):
        PipelineConfig.__setattr__(config, "train", None)
