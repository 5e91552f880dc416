"""The digests that make TFX's cache notice edits, and the keys of TFX's cache that hold them."""

import modulefinder
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from tfx.dsl.compiler.compiler import Compiler
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.orchestration.local import runner_utils
from tfx.orchestration.metadata import Metadata, sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable import cache_utils

from data.errors import ConfigError
from modules.provenance.fingerprint import versions
from modules.provenance.import_closure import Code
from pipeline.components import comparison_executor
from pipeline.config import PipelineConfig
from pipeline.create import create_pipeline
from pipeline.metadata import source_digest
from pipeline.metadata.source_digest import (
    CODE,
    PARAMETER,
    check_unedited,
    code_digest,
    executed_modules,
)
from tests.pipeline.metadata.edits import OTHERS, Tree
from tests.support.digit_models import DigitModels

# Read by the code beside them, and imported by none.
DATA_FILES = {
    "pipeline/components/validation.py": "schema",
    "pipeline/report/rendering.py": "templates",
}


@pytest.fixture(scope="module")
def config(digit_models: DigitModels, tmp_path_factory: pytest.TempPathFactory) -> PipelineConfig:
    """With every kind of node."""
    return PipelineConfig(digit_models.files, tmp_path_factory.mktemp("output"), tuner_trials=2)


@pytest.fixture(scope="module")
def pipeline(config: PipelineConfig) -> Pipeline:
    return create_pipeline(config)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return Tree(tmp_path_factory.mktemp("tree") / "project")


@pytest.fixture(scope="module")
def reruns(tree: Tree, pipeline: Pipeline) -> dict[str, set[str]]:
    return tree.reruns(pipeline.components)


def cache_keys(pipeline: Pipeline, folder: Path) -> dict[str, str]:
    """Returns TFX's own keys of all components, as if none had inputs."""
    definition = Compiler().compile(pipeline)
    deployment = runner_utils.extract_local_deployment_config(definition)
    keys = {}
    with Metadata(sqlite_metadata_connection_config(str(folder / "metadata.db"))) as handle:
        for node in (each.pipeline_node for each in definition.nodes):
            name, parameters = node.node_info.id, node.parameters.parameters
            values = {key: value.field_value.string_value for key, value in parameters.items()}
            keys[name] = cache_utils.get_cache_context(
                handle,
                node,
                definition.pipeline_info,
                runner_utils.extract_executor_spec(deployment, name),
                parameters=values,
            ).name
    return keys


def test_tfxs_cache_knows_the_digest_of_every_component(pipeline: Pipeline, tmp_path: Path) -> None:
    components = [node for node in pipeline.components if isinstance(node, BaseComponent)]
    # A Resolver asks ML Metadata in every run, and has nothing in the cache.
    assert {node.id for node in pipeline.components} - {node.id for node in components} == {
        "LastBlessedModel"
    }
    before = cache_keys(pipeline, tmp_path)
    assert cache_keys(pipeline, tmp_path) == before
    for node in components:
        digest = node.exec_properties[PARAMETER]
        assert re.fullmatch("[0-9a-f]{64}", digest), node.id
        node.exec_properties[PARAMETER] = digest[::-1]
        after = cache_keys(pipeline, tmp_path)
        node.exec_properties[PARAMETER] = digest
        assert {name for name in before if after[name] != before[name]} == {node.id}


def imported(tree: Tree, modules: list[str]) -> set[str]:
    """Returns the files of the tree that can be imported, as Python's own finder sees it."""
    finder = modulefinder.ModuleFinder(path=[str(tree.folder)])
    for name in modules:
        if (tree.folder / name.partition(".")[0]).is_dir():
            try:
                finder.import_hook(name)
            except ImportError:  # a function's name, after its module's
                finder.import_hook(name.rpartition(".")[0])
    files = [module.__file__ for module in finder.modules.values() if module.__file__]
    return {Path(file).relative_to(tree.folder).as_posix() for file in files}


def test_an_edit_runs_again_what_can_import_the_file_and_nothing_else(
    pipeline: Pipeline, tree: Tree, reruns: Mapping[str, set[str]]
) -> None:
    expected: dict[str, set[str]] = {name: set() for name in [*tree.code(), OTHERS]}
    for node in pipeline.components:
        if isinstance(node, BaseComponent):
            for name in imported(tree, executed_modules(node)):
                expected[name].add(node.id)
                for path in tree.folder.joinpath(name).parent.glob(f"{DATA_FILES.get(name)}/*"):
                    expected[path.relative_to(tree.folder).as_posix()].add(node.id)
    assert reruns == expected


EVALUATORS = {"Evaluator", *(f"Evaluator.{name}" for name in ("float32", "float16", "int8"))}


@pytest.mark.parametrize(
    ("edited", "runs_again", "does_not"),
    [
        ("pipeline/components/evaluator.py", EVALUATORS, {"Trainer", "Report"}),
        ("modules/inference/metrics.py", EVALUATORS, {"Trainer"}),  # named in the EvalConfig
        (
            "modules/inference/tflite_extractor.py",
            EVALUATORS - {"Evaluator"},
            {"Evaluator", "Trainer"},
        ),
        ("modules/inference/timing.py", {"Comparison"}, {"Trainer", "Quantizer.int8"}),
        ("modules/preprocessing.py", {"Transform"}, {"Trainer"}),
        ("modules/models/cnn.py", {"Trainer", "Tuner", "Quantizer.int8"}, {"Transform", "Pusher"}),
        ("pipeline/verdict/verdict.py", {"Comparison", "Report"}, {"Trainer", *EVALUATORS}),
        ("pipeline/verdict/judge.py", {"Comparison"}, {"Report", *EVALUATORS}),
        ("pipeline/verdict/tfma_results.py", {"Comparison"}, {"Report", *EVALUATORS}),
        ("pipeline/verdict/refusals.py", {"Comparison", *EVALUATORS}, {"Trainer", "Report"}),
        ("pipeline/report/formatting.py", {"Report"}, {"Comparison", *EVALUATORS}),
        ("pipeline/report/templates/report.html.j2", {"Report"}, {"Trainer", "Comparison"}),
        ("pipeline/components/validation.py", {"CuratedSchema"}, {"Trainer", "Report"}),
        ("pipeline/config.py", set(), {"Trainer", "Comparison", "Report"}),
        (OTHERS, set(), {"Trainer", "Comparison", "Report"}),  # README.md, tests, benchmarks ...
    ],
)
def test_known_edits(
    edited: str, runs_again: set[str], does_not: set[str], reruns: Mapping[str, set[str]]
) -> None:
    assert reruns[edited] >= runs_again and not reruns[edited] & does_not


@pytest.mark.parametrize("folder", ["modules", "."], ids=["beside the model", "of the user"])
def test_a_new_helper_of_the_model_counts(folder: str, pipeline: Pipeline, tree: Tree) -> None:
    model = tree.folder / "modules" / "models" / "cnn.py"
    helper = tree.folder / folder / "my_layers.py"
    original = model.read_text()
    statement = "from modules import my_layers" if folder == "modules" else "import my_layers"
    seen = []
    try:
        for text in ("", "SCALE = 2\n"):
            helper.write_text(text)
            model.write_text(f"{original}\n\ndef scale():\n    {statement}\n")
            seen.append(tree.digests(pipeline.components))
    finally:
        model.write_text(original)
        helper.unlink()
    changed = {name for name in seen[0] if seen[0][name] != seen[1][name]}
    assert changed >= {"Trainer", "Tuner", "Quantizer.int8"}
    assert not changed & {"Transform", "Evaluator", "Comparison", "Pusher"}


def test_what_runs_in_object_stores_counts_with_the_copying(config: PipelineConfig) -> None:
    staged = create_pipeline(
        PipelineConfig(config.dataset, config.output, root="gs://bucket/mnist", tuner_trials=2)
    )
    for node in staged.components:
        if isinstance(node, BaseComponent):
            modules = executed_modules(node)
            closure = Code().closure(modules)
            assert {"pipeline.storage.staging", "pipeline.storage.stores"} <= closure.files.keys()
            own = [name for name in modules if name.startswith(("tfx.components", "pipeline."))]
            assert set(own) - {"pipeline.storage.staging"}, node.id


def test_an_edit_after_python_may_have_read_the_file_is_refused(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    helper = tmp_path / "my_layers.py"
    helper.write_text("")
    [node] = [node for node in pipeline.components if node.id == "Trainer"]
    monkeypatch.setitem(node.exec_properties, "helper", "my_layers.scale")
    written = helper.stat().st_mtime
    check_unedited([node], written)
    with pytest.raises(ConfigError, match="my_layers.py was edited while the run was starting"):
        check_unedited([node], written - 1)
    others = [other for other in pipeline.components if other is not node]
    check_unedited(others, written - 1)


def test_versions_in_the_comparison_are_never_old(pipeline: Pipeline) -> None:
    [node] = [node for node in pipeline.components if node.id == "Comparison"]
    packages = Code().closure(executed_modules(node)).packages
    assert set(comparison_executor._PACKAGES) <= versions(packages).keys()


def test_the_digest_of_an_image_is_of_all_code(tmp_path: Path, tree: Tree) -> None:
    before = code_digest(tree.folder)
    assert before == code_digest()
    for name in tree.code():
        with tree.edited(name):
            assert code_digest(tree.folder) != before, name
    with tree.edited("README.md", "tests/project/test_lock.py"):
        assert code_digest(tree.folder) == before
    with pytest.raises(FileNotFoundError, match=re.escape(CODE[0])):
        code_digest(tmp_path)


def test_text_moved_from_one_file_to_the_next_shows(tree: Tree) -> None:
    one, other = (tree.folder / "data" / name for name in ("zz_a.py", "zz_b.py"))
    seen = set()
    for split in (1, 2):
        one.write_text("abc"[:split])
        other.write_text("abc"[split:])
        seen.add(source_digest.code_digest(tree.folder))
    one.unlink()
    other.unlink()
    assert len(seen) == 2
