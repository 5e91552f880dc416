"""The library compiled for the JVM: once for the same sources; the command where all is there."""

import subprocess
import sys
from pathlib import Path

import pytest

from apps.android import dependencies
from apps.android.jvm import __main__ as command
from apps.android.jvm import classes
from data.errors import ConfigError
from data.files import PROJECT_ROOT

SOURCE = "package a;\n\npublic final class A {\n    private A() {}\n}\n"


@pytest.fixture
def sources(tmp_path: Path, jars: list[Path]) -> Path:
    """A folder with one source."""
    (tmp_path / "java" / "a").mkdir(parents=True)
    (tmp_path / "java" / "a" / "A.java").write_text(SOURCE)
    return tmp_path / "java"


def test_the_same_sources_are_compiled_once(sources: Path, tmp_path: Path) -> None:
    first = classes.compiled([sources], [], tmp_path)
    assert (first / "a" / "A.class").exists()
    (first / "mark").touch()
    assert classes.compiled([sources], [], tmp_path) == first and (first / "mark").exists()
    (sources / "a" / "A.java").write_text(SOURCE + "\n")
    second = classes.compiled([sources], [], tmp_path)
    assert second != first and first.exists()
    assert {path.name for path in (tmp_path / "classes").iterdir()} == {first.name, second.name}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("private A() {}", "private A() {", "reached end of file"),
        ("private A() {}", "java.util.List a() { return null; }", "[rawtypes]"),
        ("private A() {}", "Object a() { return java.util.List.of(); }", "cannot find symbol"),
    ],
)
def test_errors_warnings_and_what_android_7_has_not_are_refused(
    sources: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    (sources / "a" / "A.java").write_text(SOURCE.replace(old, new))
    with pytest.raises(ConfigError, match=r"^the Java sources do not compile:\n") as error:
        classes.compiled([sources], [], tmp_path)
    assert message in str(error.value)
    assert not list((tmp_path / "classes").iterdir())


def test_the_command_comes_where_java_and_jars_are_there(
    jars: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = classes.jvm_command()
    assert found[0] == "java" and found[-1] == "mnistjax.device.jvm.RunModel"
    done = subprocess.run(found, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        1,
        "usage: RunModel [--builtin] MODEL INPUTS OUTPUTS\n",
    )
    nowhere = {"folder": tmp_path, "lock": dependencies.LOCK}
    monkeypatch.setattr(dependencies.files, "__kwdefaults__", nowhere)
    assert classes.jvm_command() is None
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert classes.jvm_command() is None


def test_the_command_is_had_without_frameworks() -> None:
    script = (
        "import sys, apps.android.jvm.classes as c; c.jvm_command();"
        "print(sorted({'jax', 'tensorflow', 'tfx', 'apache_beam', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, text=True
    )
    assert done.stdout == "[]\n", done.stderr


def test_the_setup_prints_the_classpath(
    jars: list[Path], capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert command.main() == 0
    printed = capsys.readouterr().out
    assert classes.CLASSPATH.read_text() == printed
    first, *others = printed.strip().split(":")
    assert (Path(first) / "mnistjax" / "device" / "jvm" / "RunModel.class").exists()
    assert others == [str(jar) for jar in jars]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command.main() == 2
    assert "there is no JDK here" in capsys.readouterr().err


def test_the_library_imports_nothing_of_android() -> None:
    """It is what both have; only the app may use more."""
    sources = list(classes.LIBRARY.rglob("*.java"))
    assert len(sources) > 20
    for source in sources:
        text = source.read_text()
        assert "import android" not in text and len(text.splitlines()) <= 250, source
