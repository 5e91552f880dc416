"""MODEL and PARAMS: what will not do is told before any data is looked at."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from data.errors import ConfigError
from pipeline import settings
from pipeline.storage import locations

HEAD = """import jax
import jax.numpy as jnp
from modules.models import pure

def init(key, task):
    return {"kernel": jax.random.normal(key, (task.num_pixels, task.num_classes))}

def apply(params, images):
    return images.reshape(images.shape[0], -1) @ params["kernel"]
"""
GOOD = HEAD + "MODEL = pure(init, apply)\n"


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails the test when the data is looked for."""
    monkeypatch.setattr(locations, "data_set", lambda *given: pytest.fail("read the data"))


def refused(given: Mapping[str, str]) -> str:
    with pytest.raises(ConfigError) as caught:
        settings.config_from_environment({"DATASET": "digits", **given})
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD + "1 +\n", "net.py, line 11"),
        (HEAD, "MODEL"),
        (HEAD + "MODEL = apply\n", "net.py, line 10: MODEL is "),
        (HEAD + "MODEL = pure(init, lambda params, images: 1 / 0)\n", "net.py, line 10"),
        (GOOD.replace("@ params", "[:, :3] @ params"), "net.py, line 9"),
        (GOOD.replace("task.num_classes))", "3))"), "3"),
        (GOOD.replace("jax.random.normal(key", "jnp.nan * jax.random.normal(key"), "not finite"),
        (GOOD.replace("jax.random.normal(key, (", "jnp.ones((").replace("))}", "), int)}"), "int"),
        (
            GOOD.replace('["kernel"]\n', '["kernel"]\n\nraw = apply\n').replace(
                "pure(init, apply)", "pure(init, lambda p, x: jax.nn.softmax(raw(p, x)))"
            ),
            "softmax",
        ),
    ],
)
def test_a_model_that_will_not_do(unread: None, tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "net.py"
    path.write_text(text)
    line = refused({"MODEL": str(path)})
    assert line.startswith("MODEL: ") and str(path) in line and expected in line


def test_a_model_and_its_parameters(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(GOOD)
    given = {"DATASET": "digits", "MODEL": str(tmp_path / "net.py"), "OUTPUT": str(tmp_path / "o")}
    np.savez(tmp_path / "trained.npz", kernel=np.zeros((784, 10), np.float32))
    config = settings.config_from_environment({**given, "PARAMS": str(tmp_path / "trained.npz")})
    assert (config.model, config.params) == (given["MODEL"], str(tmp_path / "trained.npz"))
    np.savez(tmp_path / "other.npz", kernel=np.zeros((784, 9), np.float32))
    line = refused({**given, "PARAMS": str(tmp_path / "other.npz")})
    assert line.startswith("PARAMS: ") and "[784, 9], expected [784, 10]" in line


def test_a_model_without_a_gradient_needs_its_parameters(unread: None, tmp_path: Path) -> None:
    """JAX differentiates no while_loop."""
    loop = "lambda s: s[0] < 2, lambda s: (s[0] + 1, s[1] / 2), (0, apply(params, images))"
    function = f"def looped(params, images):\n    return jax.lax.while_loop({loop})[1]\n"
    text = f"{HEAD}\n{function}\nMODEL = pure(init, looped)\n"
    (tmp_path / "net.py").write_text(text)
    np.savez(tmp_path / "trained.npz", kernel=np.zeros((784, 10), np.float32))
    given = {"MODEL": str(tmp_path / "net.py")}
    assert "differentiation does not work" in refused(given)
    with pytest.raises(pytest.fail.Exception, match="read the data"):  # all is well with the model
        refused({**given, "PARAMS": str(tmp_path / "trained.npz")})


def test_each_data_set_brings_its_accuracy_and_its_augmentation(tmp_path: Path) -> None:
    config = settings.config_from_environment({"DATASET": "digits", "OUTPUT": str(tmp_path)})
    assert config.limits.min_accuracy == config.dataset.task.min_accuracy == 0.97
    assert config.train.max_shift == config.dataset.task.augmentation.max_shift
    given = {"DATASET": "digits", "OUTPUT": str(tmp_path), "MIN_ACCURACY": "0.5"}
    assert settings.config_from_environment(given).limits.min_accuracy == 0.5
