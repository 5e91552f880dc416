"""Data validation: the curated schema as an artifact, and the gate that stops on anomalies."""

import os
from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import ExampleAnomalies, Schema

from modules import features

SCHEMA_FILE = Path(__file__).parent / "schema" / "schema.pbtxt"


class DataAnomalyError(RuntimeError):
    """The examples are not what the curated schema says."""


def curated_schema(num_classes: int) -> str:
    """Returns the repository's schema as text, its label domain being 0 to `num_classes` - 1."""
    schema = text_format.Parse(SCHEMA_FILE.read_text(), schema_pb2.Schema())
    for feature in schema.feature:
        if feature.name == features.IMAGE_CLASS:
            feature.int_domain.max = num_classes - 1
    return text_format.MessageToString(schema)


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
            "the data does not match the schema in pipeline/components/schema/schema.pbtxt; "
            "correct the data or, if the data is right, the schema:\n  " + "\n  ".join(problems)
        )
