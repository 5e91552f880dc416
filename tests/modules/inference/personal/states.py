"""A state, the one that its package starts with, and what may be wrong with it."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from modules.inference.personal import state
from modules.inference.personal.reservoir import Samples
from modules.inference.personal.state import PersonalState

FRESH = PersonalState(
    model="cnn",
    model_sha256="ab" * 32,
    class_names=("one", "two"),
    step=0,
    values={"params_kernel": np.zeros((3, 4), np.float32), "state_count": np.array(0, np.int32)},
    samples=Samples(np.zeros((0, 3), np.float32), np.zeros(0, np.int32)),
    seen=np.zeros(4, np.int32),
)
KEPT = dataclasses.replace(
    FRESH,
    class_names=("one", "two", "trois ☃"),
    step=12,
    values={
        # As a transposed array lies in memory, and without a dimension.
        "params_kernel": np.arange(12, dtype=np.float32).reshape(4, 3).T,
        "state_count": np.array(12, np.int32),
    },
    samples=Samples(np.arange(6, dtype=np.float32).reshape(2, 3), np.array([0, 2], np.int32)),
    seen=np.array([5, 0, 1, 0], np.int32),
)


def parts(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Returns arrays and metadata, as the library's other way of reading has them."""
    with safetensors.safe_open(path, "numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


def array(name: str, value: object, dtype: type = np.float32) -> Callable:
    return lambda arrays, texts: arrays.update({name: np.array(value, dtype)})


def text(key: str, value: str) -> Callable:
    return lambda arrays, texts: texts.update({key: value})


NAN = [[float("nan")] * 4] * 3
WRONG = {
    "another format": (text("format", "pt"), "is no personal state: its format is 'pt'"),
    "no format": (lambda a, t: t.pop("format"), "is no personal state: its format is None"),
    "another version": (
        text("schema_version", "2"),
        "is of schema version 2, expected 1; use the client that wrote it",
    ),
    "no step": (lambda a, t: t.pop("step"), "has no step in its metadata"),
    "another model": (
        lambda a, t: t.update(model="vit", model_sha256="cd" * 32),
        r"is of the model vit \(cdcdcdcdcdcd\), and this is the model cnn \(abababababab\)",
    ),
    "a step that is none": (text("step", "-1"), "has '-1' as its step, expected a number"),
    "names that are none": (text("class_names", "one"), "class_names that are no list of names"),
    "a name that is none": (text("class_names", '["one", 2]'), "no list of names in JSON"),
    "an empty name": (text("class_names", '["one", "two", ""]'), "no list of names in JSON"),
    "a class less": (
        text("class_names", '["one"]'),
        r"has the classes \['one'\], expected \['one', 'two'\] and up to 2 others, each once",
    ),
    "other classes": (text("class_names", '["two", "one", "trois"]'), "has the classes"),
    "a class twice": (text("class_names", '["one", "two", "two"]'), "has the classes"),
    "too many": (text("class_names", '["one", "two", "a", "b", "c"]'), "has the classes"),
    "no array": (lambda a, t: a.pop("state_count"), "has no array state_count"),
    "an array more": (array("params_b", 1), "has an array params_b, which this model has not"),
    "another shape": (
        array("params_kernel", [0]),
        r"has float32\[1\] as params_kernel, expected float32\[3, 4\]",
    ),
    "another type": (
        array("state_count", 12),
        r"has float32\[\] as state_count, expected int32\[\]",
    ),
    "NaN": (array("params_kernel", NAN), "has numbers in params_kernel that are not finite"),
    "a label without a name": (
        array("reservoir_labels", [0, 3], np.int32),
        "has labels in reservoir_labels that are none of its 3 classes",
    ),
    "a label below 0": (array("reservoir_labels", [0, -1], np.int32), "none of its 3 classes"),
    "labels of no number": (array("reservoir_labels", 0, np.int32), r"int32\[\] as reservoir_lab"),
    "fewer labels": (array("reservoir_labels", [0], np.int32), r"expected float32\[1, 3\]"),
    "features that are infinite": (
        array("reservoir_features", [[float("inf")] * 3] * 2),
        "has numbers in reservoir_features that are not finite",
    ),
    "fewer seen than held": (
        array("reservoir_seen", [0, 0, 1, 0], np.int32),
        "says in reservoir_seen that fewer samples were added than it holds",
    ),
    "no samples seen": (lambda a, t: a.pop("reservoir_seen"), "has no array reservoir_seen"),
}


def write_states(folder: Path) -> None:
    """Makes a folder of a state, and of all that is wrong with others of its package.

    `wrong.json` has what is said of them, in the order of their numbers.
    """
    folder.mkdir()
    good = folder / "good.safetensors"
    state.write(KEPT, good)
    wrong = []
    for number, (change, message) in enumerate(WRONG.values()):
        arrays, metadata = parts(good)
        change(arrays, metadata)
        (folder / f"{number}.safetensors").write_bytes(safetensors.numpy.save(arrays, metadata))
        wrong.append(message.replace("None", "not there"))
    (folder / "wrong.json").write_text(json.dumps(wrong))
