"""The app's screens on the JVM: its own tests in Java, and their numbers beside Python's."""

import json
import re
from pathlib import Path

import numpy as np
from PIL import Image

from modules.inference import litert
from modules.inference.personal.client import PersonalModel
from tests.apps.android.app.conftest import App
from tests.modules.inference.personal.states import parts

WANTED = 25  # tests in Java: if there are fewer, some were not found


def test_tests_in_java_pass(screens: Path) -> None:
    said = (screens / "said.txt").read_text()
    assert int(re.search(r"OK \((\d+) tests\)", said)[1]) >= WANTED, said


def test_drawn_digits_are_told_as_python_tells_them(screens: Path, app: App) -> None:
    """The image is what the app made of touches; integers may be rounded to other steps."""
    told = json.loads((screens / "told.json").read_text())
    right = 0
    for digit, each in enumerate(told):
        image = np.array(each["image"], np.float32)[np.newaxis] / 255
        right += f"say {digit}" in each["said"]
        assert set(each["models"]) == set(app.contents.files)
        for name, probabilities in each["models"].items():
            path = app.contents.device / app.contents.files[name]
            logits = litert.predict(str(path), image)[0].astype(np.float64)
            exponents = np.exp(logits - logits.max())
            limit = 1e-5 if name.startswith("float") else 0.05
            np.testing.assert_allclose(
                probabilities, exponents / exponents.sum(), atol=limit, rtol=0, err_msg=name
            )
    assert right >= 7, [each["said"] for each in told]


def counts(state: Path) -> list[int]:
    """Returns how many samples of each output were added."""
    return parts(state)[0]["reservoir_seen"].tolist()


def test_python_reads_what_was_taught(screens: Path, app: App) -> None:
    path = screens / "taught.safetensors"
    model = PersonalModel(app.contents.personal)
    model.load(path)
    assert model.class_names[-2:] == ("tree", "stick")
    assert counts(path)[:12] == [0] * 10 + [2, 1] and sum(counts(path)) == 3
    assert model.step > 0


def test_python_reads_its_own_state_after_the_app_trained_it(screens: Path, app: App) -> None:
    paths = screens / "python.safetensors", screens / "trained-on.safetensors"
    models = PersonalModel(app.contents.personal), PersonalModel(app.contents.personal)
    for model, path in zip(models, paths, strict=True):
        model.load(path)
    before, after = models
    assert after.step > before.step > 0
    assert after.class_names == before.class_names
    assert counts(paths[0]) == counts(paths[1])


def test_screens_are_drawn(screens: Path) -> None:
    names = {path.stem for path in screens.glob("*.png")} - {"huge"}
    assert names >= {"look-light", "look-night", "look-land", "look-damaged", "teach-light"}
    light, night = (
        np.asarray(Image.open(screens / f"look-{name}.png").convert("L"))
        for name in ("light", "night")
    )
    assert light.mean() > 150 > 90 > night.mean()
    assert len(np.unique(light)) > 50  # texts and bars, and not one plane
