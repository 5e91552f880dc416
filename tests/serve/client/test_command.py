"""`make predict` from its settings to its last line."""

from pathlib import Path

import numpy as np
import pytest

from data.dataset import as_features
from data.digits import TASK
from data.drawing import as_image
from data.forms.idx import read_range
from data.forms.idx_names import FILE_NAMES, existing
from modules.models import mlp
from modules.models.network import Network
from modules.training import loop
from modules.training.config import TrainConfig
from serve.client import __main__ as command
from tests.data.test_drawing import drawn
from tests.serve.client.conftest import Server
from tests.support.digit_models import DigitModels

Output = pytest.CaptureFixture[str]
_NAMES = ("FILE", "SERVER", "OUTPUT", "DATASET", "PUSH_TO", "IMAGE_SIZE")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _NAMES:
        monkeypatch.delenv(name, raising=False)


def test_the_device_models_tell_drawings(
    digit_models: DigitModels,
    output: Path,
    drawings: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: Output,
) -> None:
    monkeypatch.setenv("OUTPUT", str(output))
    monkeypatch.setenv("FILE", str(drawings))
    assert command.main([]) == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert lines[0] == f"digits, by {output}/device/7"
    labels = digit_models.logits[:3].argmax(1)
    for number, label in enumerate(labels):
        [row] = [line for line in lines if f"digit{number}.png" in line]
        assert row.count(f" {label} ") == 2 and row.count("%") == row.count(" us") == 2
    assert lines[-1] == f"{output}/predictions.png" and Path(lines[-1]).is_file()
    assert "INFO" not in err  # of LiteRT


def test_a_server_tells_them_too(
    output: Path, drawings: Path, server: Server, tmp_path: Path, capfd: Output
) -> None:
    picture = tmp_path / "p.png"
    arguments = [str(drawings / "digit0.png"), "--server", server.address, "--picture"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OUTPUT", str(output))
        assert command.main([*arguments, str(picture)]) == 0
    out = capfd.readouterr().out
    assert f"digits, by {server.address}" in out and "server, version 12" in out
    assert out.splitlines()[-1] == str(picture) and picture.is_file()


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        ([], {}, "FILE is not set"),
        (["x.png"], {"SERVER": "localhost"}, "SERVER=localhost: expected the address"),
        (["x.png"], {"OUTPUT": "/no/such"}, "/no/such/device: there are no pushed models"),
        (["/no/such.png"], {}, "cannot read /no/such.png"),
        (["a\nb"], {"FILE": "a\nb"}, "FILE="),
    ],
)
def test_what_is_wrong_is_one_line(
    arguments: list[str],
    variables: dict[str, str],
    words: str,
    output: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: Output,
) -> None:
    monkeypatch.setenv("OUTPUT", str(output))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert command.main(arguments) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.startswith(f"error: {words}") and len(err.splitlines()) == 1


def test_drawings_of_mnists_digits_keep_their_labels(mnist_dir: Path) -> None:
    """By a network trained on 5,000 of MNIST's images, on 300 of its test images."""
    images, tests = (
        read_range(existing(mnist_dir, FILE_NAMES[at]), 0, count)[..., np.newaxis]
        for at, count in ((0, 5000), (2, 300))
    )
    labels = read_range(existing(mnist_dir, FILE_NAMES[1]), 0, 5000).astype(np.int64)
    raw = as_features(images)
    mean, deviation = raw.mean(), raw.std()
    network = Network(mlp.MODEL, TASK)
    config = TrainConfig(epochs=3, max_rotation=0.0, max_shift=0.0, max_scaling=0.0)
    variables = loop.train(network, (raw - mean) / deviation, labels, config).variables
    random = np.random.default_rng(0)
    redrawn = np.stack(
        [
            as_image(
                drawn(image[..., 0], *random.integers((200, 0, 0), (400, 120, 150)).tolist()),
                TASK.drawing,
                TASK.image_shape[:2],
            )
            for image in tests
        ]
    )[..., np.newaxis]
    before, after = (
        loop.predict(network, variables, (as_features(each) - mean) / deviation).argmax(1)
        for each in (tests, redrawn)
    )
    assert np.mean(before == after) >= 0.95
