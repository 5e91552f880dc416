"""The whole pipeline with its artifacts, pushes and data in an S3 store, by real HTTP."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import boto3
import pytest

from data.cache import IN_PROJECT
from data.resolve import resolve_dataset
from tests.e2e.support.harness import Run
from tests.e2e.support.in_process import run_here
from tests.e2e.test_bad_input import run_badly, start_badly
from tests.support.machine import free_port
from tests.support.object_stores import BUCKET, forget_connections

ROOT, PUSHES, DATA = (f"s3://{BUCKET}/{name}" for name in ("root", "pushes", "data/own-digits"))


@pytest.fixture(scope="module")
def bucket(s3_environment: Mapping[str, str]) -> "boto3.resources.base.ServiceResource":
    """The bucket, with a data set in it that looks like a user's own."""
    bucket = boto3.resource(
        "s3",
        endpoint_url=s3_environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=s3_environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=s3_environment["AWS_SECRET_ACCESS_KEY"],
        region_name=s3_environment["AWS_DEFAULT_REGION"],
    ).Bucket(BUCKET)
    for path in resolve_dataset("digits", None, IN_PROJECT).location.iterdir():
        bucket.upload_file(str(path), f"data/own-digits/{path.name}")
    return bucket


@pytest.fixture(scope="module")
def settings(
    s3_environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str | Path]]:
    yield {
        **s3_environment,
        "OUTPUT": tmp_path_factory.mktemp("object_store") / "output",
        "PIPELINE_ROOT": ROOT,
        "PUSH_TO": PUSHES,
        "DATASET": DATA,
        "RECIPES": "float32",
        "EPOCHS": "3",
        "MIN_ACCURACY": "0.5",
        "TMPDIR": tmp_path_factory.mktemp("temporary"),
    }


@pytest.fixture(scope="module")
def first(
    bucket: "boto3.resources.base.ServiceResource", settings: dict[str, str | Path]
) -> Iterator[Run]:
    forget_connections()
    yield run_here(**settings)
    forget_connections()


def keys(bucket: "boto3.resources.base.ServiceResource", folder: str) -> set[str]:
    return {item.key.removeprefix(folder) for item in bucket.objects.filter(Prefix=folder)}


def test_it_ends_with_models_on_the_store(
    first: Run, bucket: "boto3.resources.base.ServiceResource"
) -> None:
    assert first.status == 0, first.text
    comparison = first.comparison()
    assert comparison["dataset"]["name"] == "own-digits"
    server, device = (model["pushed_to"] for model in comparison["models"])
    assert server.startswith(f"{PUSHES}/serving/") and device.startswith(f"{PUSHES}/device/")
    pushed = keys(bucket, server.removeprefix(f"s3://{BUCKET}/"))
    assert {"/saved_model.pb", "/variables/variables.index"} <= pushed
    assert "/tflite" not in pushed
    assert keys(bucket, device.removeprefix(f"s3://{BUCKET}/")) == {
        "/float32.tflite",
        "/model.json",
        "/pushed.json",
    }
    assert "/pushed.json" in pushed


def test_artifacts_are_on_the_store_and_nowhere_else(
    first: Run, bucket: "boto3.resources.base.ServiceResource", settings: dict[str, str | Path]
) -> None:
    artifacts = keys(bucket, "root/")
    for expected in (
        "FileBasedExampleGen/examples/",
        "Transform/transform_graph/",
        "Trainer/model/",
        "Evaluator/blessing/",
        "Report/report/",
    ):
        assert any(key.startswith(expected) for key in artifacts), expected
    assert not [key for key in artifacts if "/.temp/" in key or "stateful_working_dir" in key]
    left = {path.name for path in first.output.iterdir()}
    assert not left & {"pipeline", "serving", "device"}
    assert not list(Path(settings["TMPDIR"]).glob("staged-*"))
    # The data that was checked is kept until the process ends; ExampleGen's own copy is gone.
    assert len(list(Path(settings["TMPDIR"]).glob("data-*"))) == 1


def test_data_from_the_store_goes_with_the_process(
    first: Run, settings: dict[str, str | Path], tmp_path: Path
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    changed = {"TMPDIR": temporary, "OUTPUT": "/proc/none"}
    error = start_badly(tmp_path, **{**settings, **changed})
    assert error.startswith("error: OUTPUT=/proc/none: ")  # which is tried after the data is there
    assert list(temporary.iterdir()) == []


def test_the_report_is_copied_from_the_store(
    first: Run, bucket: "boto3.resources.base.ServiceResource"
) -> None:
    [key] = [key for key in keys(bucket, "root/Report/") if key.endswith("comparison.json")]
    stored = json.loads(bucket.Object(f"root/Report/{key}").get()["Body"].read())
    assert stored == first.comparison()
    assert f"{PUSHES}/serving/" in (first.output / "report" / "index.html").read_text()


def test_run_again_all_comes_from_the_cache(
    first: Run, bucket: "boto3.resources.base.ServiceResource", settings: dict[str, str | Path]
) -> None:
    before = keys(bucket, "pushes/")
    again = run_here(**settings)
    assert again.status == 0, again.text
    times = again.component_lines()
    assert {name for name, time in times.items() if time != "cached"} == {"LastBlessedModel"}
    assert again.comparison() == first.comparison()
    assert keys(bucket, "pushes/") == before
    assert "was pushed by an earlier run" not in again.text


def test_what_is_gone_from_the_store_is_said(
    first: Run, bucket: "boto3.resources.base.ServiceResource", settings: dict[str, str | Path]
) -> None:
    bucket.objects.filter(Prefix="pushes/device/").delete()
    again = run_here(**settings)
    assert again.status == 0, again.text
    gone = next(model["pushed_to"] for model in first.comparison()["models"][1:])
    assert f"{gone} was pushed by an earlier run and is gone since" in again.text


@pytest.mark.parametrize("setting", ["PIPELINE_ROOT", "PUSH_TO", "DATASET"])
def test_a_missing_bucket_is_one_error(
    s3_environment: Mapping[str, str], tmp_path: Path, setting: str
) -> None:
    error = run_badly(tmp_path, **s3_environment, **{setting: "s3://missing/folder"})
    assert error.startswith(f"error: {setting}=s3://missing/folder: cannot "), error
    assert not (tmp_path / "metadata.db").exists()


def test_an_unreachable_store_is_one_error(
    s3_environment: Mapping[str, str], tmp_path: Path
) -> None:
    forget_connections()
    nobody = {**s3_environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    error = run_badly(tmp_path, **nobody, PIPELINE_ROOT=ROOT)
    assert error.startswith(f"error: PIPELINE_ROOT={ROOT}: cannot write there (Could not connect")


def test_an_unknown_scheme_is_one_error(tmp_path: Path) -> None:
    error = run_badly(tmp_path, PIPELINE_ROOT="ftp://host/folder")
    assert error.startswith("error: PIPELINE_ROOT=ftp://host/folder: there is no ftp:// here")
