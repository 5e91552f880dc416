"""MODEL as a name or a file: what is found, what is told when nothing is, and the digest."""

import re
import sys
from pathlib import Path

import pytest

from data.errors import ConfigError
from data.task import Task
from modules.models import cnn, loading
from modules.models.network import Network
from tests.modules.models.user_files import write_net

SOUND = "return nn.Dense(self.n)(x)"
NAMES = "cnn, lstm, mlp, mobilenet, resnet, vit"


def problem(text: str | Path) -> str:
    with pytest.raises(ConfigError) as told:
        loading.load(str(text))
    assert "\n" not in str(told.value)
    return str(told.value)


def test_a_name_is_a_model_of_the_project() -> None:
    assert loading.load("cnn") is cnn.MODEL
    assert loading.is_name("cnn") and not loading.is_name("cnn.py") and not loading.is_name("./cnn")


@pytest.mark.parametrize(
    ("text", "advice"),
    [("cn", "did you mean 'cnn'? "), ("resnett", "did you mean 'resnet'? "), ("loading", "")],
)
def test_for_a_wrong_name_the_nearest_is_told(text: str, advice: str) -> None:
    expected = f"MODEL: there is no model '{text}'; {advice}expected one of {NAMES}, or the path"
    assert problem(text).startswith(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nett.py", r"/nett\.py does not exist; did you mean /.+/net\.py\?$"),
        ("other/net.py", r"/other/net\.py does not exist$"),
        ("", "is a folder, not a file$"),
        ("a\0.py", "is no path"),
        ("x" * 5000 + ".py", "is no path"),
    ],
)
def test_for_a_wrong_path_what_is_there_is_told(tmp_path: Path, name: str, expected: str) -> None:
    write_net(tmp_path, SOUND)
    found = problem(f"{tmp_path}/{name}")
    assert found.startswith("MODEL: ") and re.search(expected, found)
    assert len(found) < 500


def test_the_folder_of_a_user_who_does_not_exist_is_told() -> None:
    assert problem("~nosuchuser/net.py").startswith("MODEL: '~nosuchuser/net.py' is no path: ")


def test_a_path_is_relative_to_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_net(tmp_path, SOUND)
    monkeypatch.chdir(tmp_path)
    task = Task("task", (4, 5, 3), ("a", "b"))
    loading.check(Network(loading.load("net.py"), task))


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("def f(:\n", "line 11: SyntaxError: invalid syntax"),
        ("import nowhere\n", "line 11: ModuleNotFoundError: No module named 'nowhere'"),
        ("\nraise SystemExit(3)\n", "line 12: SystemExit: 3"),
        ("assert False\n", "line 11: AssertionError"),
        ("model = linen(lambda task: Net(2))\n", "line 11: a model is called model; call it MODEL"),
        (
            "MODEL = Net(10)\n",
            "line 11: MODEL is of the type model_file_net.Net, expected a model; wrap it: MODEL = "
            "linen(lambda task: Net(...))",
        ),
        (
            "MODEL = Net\n",
            "line 11: MODEL is the class model_file_net.Net, expected a model; wrap it: MODEL = "
            "linen(lambda task: Net(...))",
        ),
        (
            "class Own(nnx.Module): pass\nMODEL = Own()\n",
            "line 12: MODEL is of the type model_file_net.Own, expected a model; wrap it: MODEL = "
            "nnx_model(lambda task, rngs: Own(...))",
        ),
        (
            "def MODEL(params, images): pass\n",
            "line 11: MODEL is of the type builtins.function, expected a model; wrap it: MODEL = "
            "pure(init, MODEL)",
        ),
        (
            "MODEL = 3\n",
            "line 11: MODEL is of the type builtins.int, expected a model; make it by linen(...), "
            "nnx_model(...) or pure(...) of modules.models",
        ),
    ],
)
def test_a_broken_file_is_told_with_its_line(tmp_path: Path, last: str, expected: str) -> None:
    path = write_net(tmp_path, SOUND, last)
    assert problem(path) == f"MODEL: {path}, {expected}"


def test_a_file_without_the_variable_is_told_how_to_end(tmp_path: Path) -> None:
    path = write_net(tmp_path, SOUND, "")
    assert problem(path) == (
        f"MODEL: {path} has no variable MODEL in its 10 lines; end it with one, such as MODEL = "
        "linen(lambda task: Net(task.num_classes))"
    )


def with_layers(folder: Path, text: str) -> Path:
    """Writes a model that takes its classes' weight from a module beside it."""
    folder.mkdir(exist_ok=True)
    (folder / "my_layers.py").write_text(text)
    return write_net(folder, "return my_layers.SCALE * nn.Dense(self.n)(x)\nimport my_layers")


def scale_of(path: Path) -> float:
    return vars(sys.modules[loading.load(str(path)).source.__module__])["my_layers"].SCALE


def test_what_lies_beside_a_file_can_be_imported_and_is_that_of_its_own_folder(
    tmp_path: Path,
) -> None:
    before = sys.path.copy()
    one = with_layers(tmp_path / "one", "SCALE = 1")
    two = with_layers(tmp_path / "two", "SCALE = 2")
    assert [scale_of(path) for path in (one, two, one)] == [1, 2, 1]
    with_layers(tmp_path / "one", "SCALE = 10")
    assert scale_of(one) == 10
    assert sys.path[: len(before)] == before  # and theirs come after all others
    del sys.path[len(before) :]


def test_the_digest_is_of_the_file_and_of_what_it_imports(tmp_path: Path) -> None:
    one = with_layers(tmp_path / "one", "SCALE = 1")
    same = with_layers(tmp_path / "elsewhere", "SCALE = 1")
    first = loading.digest(str(one))
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert loading.digest(str(same)) == first
    with_layers(tmp_path / "one", "SCALE = 2")
    second = loading.digest(str(one))
    one.write_text(one.read_text() + "# edited\n")
    assert len({first, second, loading.digest(str(one))}) == 3


def test_the_digests_of_named_models_differ_and_need_them_to_exist() -> None:
    assert len({loading.digest(name) for name in loading.names()}) == len(loading.names())
    with pytest.raises(ConfigError, match="there is no model 'nothing'"):
        loading.digest("nothing")
