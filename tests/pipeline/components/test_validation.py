"""The curated schema, and the gate that stops on what TFX's validators make of bad examples."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tfx.components.example_validator.executor import Executor
from tfx.types.standard_artifacts import ExampleAnomalies, ExampleStatistics, Schema
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

from data.splits import Split
from data.task import Task
from modules import features
from modules.examples import tf_examples
from pipeline.components.validation import (
    AnomalyGate,
    CuratedSchema,
    DataAnomalyError,
    curated_schema,
)

TASK = Task("digits", (28, 28, 1), tuple("0123456789"))
IMAGE = [0.0, 1.0, *[0.5] * 782]
Rows = list[dict[str, list[float] | list[bytes]]]  # {feature: its values}


def _gate(anomalies: ExampleAnomalies) -> None:
    """Runs the gate as TFX does."""
    gate = AnomalyGate.EXECUTOR_SPEC.executor_class()
    gate.Do({"anomalies": [anomalies]}, {}, {})


def _rows(*changes: dict[str, list[float] | None]) -> Rows:
    """Ten sound examples, and one more for each change to such; None removes a feature."""
    sound: Rows = [
        {"image_floats": IMAGE, "image_class": [label], "image_set": [b"eval"]}
        for label in range(10)
    ]
    changed = [{**sound[0], **change} for change in changes]
    return sound + [{k: v for k, v in row.items() if v is not None} for row in changed]


def _example(row: dict[str, list[float] | list[bytes]]) -> bytes:
    made = {}
    for name, values in row.items():
        if name == "image_floats":
            made[name] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
        elif name == "image_set":
            made[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        else:
            made[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    return tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString()


def _statistics(rows: Rows) -> bytes:
    """What StatisticsGen finds out about examples, by the same library."""
    batch = ExamplesToRecordBatchDecoder().DecodeBatch([_example(row) for row in rows])
    found = stats_impl.generate_statistics_in_memory(batch, tfdv.StatsOptions())
    return found.SerializeToString()


@pytest.fixture
def gate(tmp_path: Path) -> Callable[..., None]:
    """Takes the rows of each split through statistics, ExampleValidator and the gate."""

    def run(task: Task = TASK, **splits: Rows) -> None:
        statistics, schema, anomalies = ExampleStatistics(), Schema(), ExampleAnomalies()
        for artifact in (statistics, schema, anomalies):
            artifact.uri = str(tmp_path / artifact.type_name)
        statistics.split_names = json.dumps(list(splits))
        for split, rows in splits.items():
            folder = Path(statistics.uri, f"Split-{split}")
            folder.mkdir(parents=True)
            (folder / "FeatureStats.pb").write_bytes(_statistics(rows))
        Path(schema.uri).mkdir()
        CuratedSchema.EXECUTOR_SPEC.executor_class().Do(
            {}, {"schema": [schema]}, {"schema_text": curated_schema(task)}
        )
        validated = {"statistics": [statistics], "schema": [schema]}
        Executor().Do(validated, {"anomalies": [anomalies]}, {})
        _gate(anomalies)

    return run


def test_domain_of_the_labels_and_size_of_the_images_are_the_tasks() -> None:
    task = Task("x", (5, 7, 3), tuple("abc"))
    schema = text_format.Parse(curated_schema(task), schema_pb2.Schema())
    by_name = {feature.name: feature for feature in schema.feature}
    domain = by_name["image_class"].int_domain
    assert (domain.min, domain.max, domain.is_categorical) == (0, 2, True)
    assert [dim.size for dim in by_name["image_floats"].shape.dim] == [105]


def test_schema_agrees_with_how_examples_are_parsed() -> None:
    """And has one feature more, which no model sees."""
    schema = text_format.Parse(curated_schema(TASK), schema_pb2.Schema())
    specs = tf_examples.raw_feature_spec(TASK.num_pixels)
    types = {schema_pb2.FLOAT: tf.float32, schema_pb2.INT: tf.int64, schema_pb2.BYTES: tf.string}
    assert {
        feature.name: ([dim.size for dim in feature.shape.dim], types[feature.type])
        for feature in schema.feature
    } == {
        **{name: (spec.shape, spec.dtype) for name, spec in specs.items()},
        features.IMAGE_SET: ([1], tf.string),
    }


def test_sets_of_the_schema_are_those_of_the_examples() -> None:
    schema = text_format.Parse(curated_schema(TASK), schema_pb2.Schema())
    (image_set,) = (feature for feature in schema.feature if feature.name == features.IMAGE_SET)
    sets = [Split.TRAIN, Split.EVAL, Split.HARD]
    assert list(image_set.string_domain.value) == sets


def test_good_data_passes(gate: Callable[..., None]) -> None:
    gate(train=_rows(), eval=_rows())


def test_more_classes_pass_where_the_data_set_has_them(gate: Callable[..., None]) -> None:
    letters = replace(TASK, label_names=tuple("abcdefghijklmnopqrstuvwxyz"))
    gate(task=letters, train=_rows({"image_class": [25]}), eval=_rows())


@pytest.mark.parametrize(
    ("change", "feature", "reason"),
    [
        ({"image_class": [10]}, "image_class", "Out-of-range values"),
        ({"image_class": [-1]}, "image_class", "Out-of-range values"),
        ({"image_class": None}, "image_class", "fewer examples than expected"),
        ({"image_class": [1, 2]}, "image_class", "[Ss]hape|[Vv]alue"),
        ({"image_floats": [*IMAGE[:-1], 1.5]}, "image_floats", "Out-of-range values"),
        ({"image_floats": [*IMAGE[:-1], -0.5]}, "image_floats", "Out-of-range values"),
        ({"image_floats": [*IMAGE[:-1], np.nan]}, "image_floats", "NaN"),
        ({"image_floats": [*IMAGE[:-1], np.inf]}, "image_floats", "[Ii]nf|Out-of-range"),
        ({"image_floats": None}, "image_floats", "fewer examples than expected"),
        ({"image_floats": IMAGE[:-1]}, "image_floats", "[Ss]hape"),
        ({"image_set": [b"other"]}, "image_set", "Unexpected string values"),
        ({"image_set": None}, "image_set", "fewer examples than expected"),
        ({"another": [1]}, "another", "New column"),
    ],
)
def test_one_bad_example_is_named_with_split_feature_and_reason(
    gate: Callable[..., None],
    change: dict[str, list[float] | None],
    feature: str,
    reason: str,
) -> None:
    with pytest.raises(DataAnomalyError) as caught:
        gate(train=_rows(), eval=_rows(change))
    head, *problems = str(caught.value).split("\n  ")
    assert "curated_schema in pipeline/components/validation.py" in head
    (problem,) = problems
    name, _, said = problem.partition(": ")
    assert name == f"split eval, feature {feature}"
    assert re.search(reason, said), said


def test_every_split_and_feature_is_named(gate: Callable[..., None]) -> None:
    bad = _rows({"image_class": [12], "image_floats": [*IMAGE[:-1], 7.0]})
    with pytest.raises(DataAnomalyError) as caught:
        gate(train=bad, eval=bad)
    problems = str(caught.value).split("\n  ")[1:]
    assert [problem.split(":")[0] for problem in problems] == [
        f"split {split}, feature {feature}"
        for split in ("train", "eval")
        for feature in ("image_class", "image_floats")
    ]
    assert all("12" in problem for problem in problems[::2])


def test_split_without_examples_is_named(gate: Callable[..., None]) -> None:
    with pytest.raises(DataAnomalyError, match="\n  split eval: no examples$"):
        gate(train=_rows(), eval=[])


def test_anomaly_of_a_whole_split_is_named(tmp_path: Path) -> None:
    """The curated schema asks for nothing that gives one; one edited by somebody may."""
    anomalies = ExampleAnomalies()
    anomalies.uri, anomalies.split_names = str(tmp_path), '["train"]'
    found = anomalies_pb2.Anomalies()
    found.dataset_anomaly_info.description = "too few examples"
    (tmp_path / "Split-train").mkdir()
    (tmp_path / "Split-train" / "SchemaDiff.pb").write_bytes(found.SerializeToString())
    with pytest.raises(DataAnomalyError, match="\n  split train: too few examples$"):
        _gate(anomalies)
