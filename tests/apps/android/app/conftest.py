"""An app with the digits' models, built once; and its tests in Java, run once."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.android import apk, contents, dependencies, signing, tools
from apps.android.apk import Compiled, Jars
from apps.android.contents import Contents
from apps.android.jvm.classes import has_java
from apps.android.signing import Key
from data import digits
from data.errors import ConfigError
from data.files import PROJECT_ROOT
from modules.inference.personal.client import PersonalModel
from modules.inference.personal.manifest import read, write
from tests.apps.android.app import robolectric
from tests.apps.android.app.strokes import strokes_of
from tests.support.digit_models import DigitModels
from tests.support.machine import environment, lacks
from tests.support.pushed_models import push
from tests.support.small_disk import mounted

RECIPES = ("float32", "float16", "dynamic_range", "int8", "int8_io")


@dataclasses.dataclass(frozen=True)
class App:
    """A signed app.

    Attributes:
        contents: what it was built with.
        path: of the APK.
        key: that it is signed with.
        said: by `make android`.
    """

    contents: Contents
    path: Path
    key: Key
    said: str


@pytest.fixture(scope="session")
def jars() -> Jars:
    """What the app is built of; the test is skipped where it is not there."""
    try:
        tools.check()
    except ConfigError as error:
        lacks("ANDROID", str(error))
    wanted = dependencies.files("app", "app-test", "jvm")
    if not (has_java() and all(path.exists() for path in wanted)):
        lacks("ANDROID", "`make android-setup` was not run")
    return Jars.fetch()


@pytest.fixture(scope="session")
def pushed(digit_models: DigitModels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OUTPUT with the digits' device models, and a personal one."""
    output = tmp_path_factory.mktemp("pushed") / "digits"
    push(output / "device" / "7", digit_models, RECIPES)
    personal = output / "personal" / "new"
    shutil.copytree(digit_models.personal_package, personal)
    # Its digits are files of anybody's, of which nothing says how to draw them.
    said = read(personal)
    task = dataclasses.replace(digits.TASK, name=said.task.name)
    write(dataclasses.replace(said, task=task), personal)
    return output


@pytest.fixture(scope="session")
def app(jars: Jars, pushed: Path, tmp_path_factory: pytest.TempPathFactory) -> App:
    """The app of these, with a keystore as a user has one."""
    key = signing.find({}, tmp_path_factory.mktemp("keys"))
    given = {"OUTPUT": str(pushed), "ANDROID_KEYSTORE": str(key.path), **key.secrets}
    done = subprocess.run(
        [sys.executable, "-m", "apps.android"],
        cwd=PROJECT_ROOT,
        env=environment(**given),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return App(contents.find(given), pushed / "android" / "mnist.apk", key, done.stdout)


@pytest.fixture(scope="session")
def compiled(jars: Jars, tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """Its classes."""
    return apk.compile_app(jars, tmp_path_factory.mktemp("compiled") / "app")


@pytest.fixture(scope="session")
def screens(
    app: App,
    compiled: Compiled,
    digit_models: DigitModels,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The folder where the app's tests in Java found their data, and left what they made.

    `said.txt` there is what JUnit said.
    """
    work = tmp_path_factory.mktemp("screens")
    _write_data(work, app.contents, digit_models)
    with mounted(work / "disk") as disk:
        given = {"app.small": str(disk.folder)}
        robolectric.run(compiled, app.path, work, robolectric.test_classes(), given)
    return work


def _write_data(work: Path, found: Contents, models: DigitModels) -> None:
    images = np.rint(models.images.reshape(-1, 28, 28) * 255).astype(np.uint8)
    labels = models.logits.argmax(axis=1)
    firsts = [images[np.argmax(labels == label)] for label in range(10)]
    (work / "strokes.json").write_text(json.dumps([strokes_of(image) for image in firsts]))
    large = Image.new("L", (12_000, 9_000), 255)
    large.paste(0, (5_500, 2_000, 6_500, 7_000))
    large.save(work / "huge.png")
    for name in ("damaged", "no-manifest"):
        shutil.copytree(found.device, work / name / contents.DEVICE)
        shutil.copytree(found.personal, work / name / contents.PERSONAL)
    shutil.copytree(found.device, work / "no-personal" / contents.DEVICE)
    path = work / "damaged" / contents.DEVICE / "float32.tflite"
    path.write_bytes(path.read_bytes()[:-1000] + bytes(1000))
    (work / "no-manifest" / contents.DEVICE / "model.json").write_text("{")
    _write_states(work, found.personal, images)


def _write_states(work: Path, package: Path, images: np.ndarray) -> None:
    model = PersonalModel(package)
    for image in images[:3]:
        model.add(image[..., np.newaxis], "star")
    model.train(2)
    model.save(work / "python.safetensors")
    state = (work / "python.safetensors").read_bytes()
    sha256 = read(package).sha256
    other = sha256[::-1].encode()
    (work / "other.safetensors").write_bytes(state.replace(sha256.encode(), other))
    damaged = work / "states-damaged" / f"{sha256[:16]}.safetensors"
    damaged.parent.mkdir()
    damaged.write_bytes(state[: len(state) // 2])
