"""Data validation: the schema that a task asks for, and the gate that stops on anomalies."""

import os

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import ExampleAnomalies, Schema

from data.splits import Split
from data.task import Task
from modules import features


class DataAnomalyError(RuntimeError):
    """The examples are not what the schema says."""


def curated_schema(task: Task) -> str:
    """Returns what every example of a task must look like, in every split, as a schema's text."""
    schema = schema_pb2.Schema()
    floats = _feature(schema, features.IMAGE_FLOATS, schema_pb2.FLOAT, task.num_pixels)
    floats.float_domain.CopyFrom(
        schema_pb2.FloatDomain(min=0.0, max=1.0, disallow_nan=True, disallow_inf=True)
    )
    label = _feature(schema, features.IMAGE_CLASS, schema_pb2.INT, 1)
    label.int_domain.CopyFrom(
        schema_pb2.IntDomain(min=0, max=task.num_classes - 1, is_categorical=True)
    )
    image_set = _feature(schema, features.IMAGE_SET, schema_pb2.BYTES, 1)
    image_set.string_domain.value.extend(Split)
    for feature, domain in (
        (floats, floats.float_domain),
        (label, label.int_domain),
        (image_set, image_set.string_domain),
    ):
        domain.name = feature.name
    return text_format.MessageToString(schema)


def _feature(
    schema: schema_pb2.Schema, name: str, dtype: "schema_pb2.FeatureType", size: int
) -> schema_pb2.Feature:
    """Adds a feature that every example has, with so many values."""
    feature = schema.feature.add(name=name, type=dtype)
    feature.presence.min_fraction, feature.presence.min_count = 1.0, 1
    feature.shape.dim.add(size=size)
    return feature


@component
def CuratedSchema(  # noqa: N802 - components are named as classes
    schema_text: Parameter[str], schema: OutputArtifact[Schema]
):
    """Publishes the curated schema; as its text is a parameter, an edit is never served stale."""
    with fileio.open(os.path.join(schema.uri, "schema.pbtxt"), "w") as file:
        file.write(schema_text)


@component
def AnomalyGate(anomalies: InputArtifact[ExampleAnomalies]):  # noqa: N802
    """Fails the pipeline when ExampleValidator, which only records them, found anomalies.

    Args:
      anomalies: ExampleValidator's.

    Raises:
      DataAnomalyError: names every split, feature and reason.
    """
    problems = []
    for split in artifact_utils.decode_split_names(anomalies.split_names):
        path = os.path.join(anomalies.uri, f"Split-{split}", "SchemaDiff.pb")
        with fileio.open(path, "rb") as file:
            found = anomalies_pb2.Anomalies.FromString(file.read())
        problems += [
            f"split {split}, feature {name}: {info.short_description}: {info.description}"
            for name, info in sorted(found.anomaly_info.items())
        ]
        if found.HasField("dataset_anomaly_info"):
            problems.append(f"split {split}: {found.dataset_anomaly_info.description}")
        if found.data_missing:
            problems.append(f"split {split}: no examples")
    if problems:
        raise DataAnomalyError(
            "the examples do not match the schema of their task, see curated_schema in "
            "pipeline/components/validation.py; correct the data:\n  " + "\n  ".join(problems)
        )
