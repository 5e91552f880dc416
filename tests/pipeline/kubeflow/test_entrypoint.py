"""What is added to what Kubeflow tells a container."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.kubeflow import entrypoint
from pipeline.kubeflow.entrypoint import StaleImageError, check_sources, with_types
from pipeline.metadata import source_digest

SPEC = json.dumps(
    {"artifacts": {"model": {"artifactType": {"instanceSchema": "title: tfx.Model"}}}}
)


def invocation(**artifact: Any) -> str:
    """An ExecutorInput, with a field that TFX does not know."""
    artifacts = {"model": {"artifacts": [{"name": "7", "uri": "gs://b/m", **artifact}]}}
    inputs = {"artifacts": artifacts, "parameterValues": {"text": "{}", "number": 2}}
    outputs = {"outputFile": "/tmp/kfp_outputs/output_metadata.json"}
    return json.dumps({"inputs": inputs, "outputs": outputs, "new": 1})


def test_a_missing_type_is_the_components_own() -> None:
    found = json.loads(with_types(invocation(metadata={"a": "b"}), SPEC))
    expected = json.loads(invocation(metadata={"a": "b"}))
    del expected["new"]
    [artifact] = expected["inputs"]["artifacts"]["model"]["artifacts"]
    artifact["type"] = {"instanceSchema": "title: tfx.Model"}
    assert found == expected


def test_a_type_that_is_there_stays() -> None:
    found = json.loads(with_types(invocation(type={"schemaTitle": "tfx.Other"}), SPEC))
    [artifact] = found["inputs"]["artifacts"]["model"]["artifacts"]
    assert artifact["type"] == {"schemaTitle": "tfx.Other"}


def test_an_image_with_other_code_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = source_digest.code_digest()
    check_sources(compiled)
    for pattern in source_digest.CODE:
        for path in source_digest.PROJECT_ROOT.glob(pattern):
            copy = tmp_path / path.relative_to(source_digest.PROJECT_ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    image = lambda: source_digest.code_digest(tmp_path)  # noqa: E731
    monkeypatch.setattr(entrypoint, "code_digest", image)
    check_sources(compiled)
    with (tmp_path / "modules" / "models" / "cnn.py").open("a") as file:
        file.write("# edited\n")
    with pytest.raises(StaleImageError, match="build and push it under a new tag"):
        check_sources(compiled)
