"""The own model of docs/models.md, as it is printed there, is checked and trained."""

import re
from pathlib import Path

import jax
import numpy as np

from data.files import PROJECT_ROOT
from data.task import Task
from modules.models import loading
from modules.models.network import Network
from modules.training import loop
from modules.training.config import TrainConfig


def test_the_printed_model_is_sound_and_learns_what_is_easy(tmp_path: Path) -> None:
    page = (PROJECT_ROOT / "docs" / "models.md").read_text()
    [printed] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "my_network.py").write_text(printed)
    task = Task("halves", (8, 6, 3), ("red", "green", "blue"))
    network = Network(loading.load(str(tmp_path / "my_network.py")), task)
    loading.check(network)
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 160)
    images = random.normal(scale=0.5, size=(160, 8, 6, 3))
    images[np.arange(160), :, :, labels] += 1
    pixels = images.reshape(160, -1).astype(np.float32)
    result = loop.train(network, pixels, labels, TrainConfig(epochs=6, batch_size=16))
    assert loop.evaluate(network, result.variables, pixels, labels)[1] > 0.9


def test_the_printed_table_has_the_named_models_and_their_sizes() -> None:
    page = (PROJECT_ROOT / "docs" / "models.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([\d,]+) \|$", page, re.MULTILINE))
    task = Task("digits", (28, 28, 1), tuple("0123456789"))
    assert rows == {
        name: f"{sum(leaf.size for leaf in jax.tree.leaves(shapes)):,}"
        for name in loading.names()
        for shapes in [Network(loading.load(name), task).shapes()]
    }
