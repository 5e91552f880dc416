"""Models that cannot work are found by a try on noise, with the user's own file and line."""

import re
from pathlib import Path

import jax
import pytest

from data.errors import ConfigError
from data.task import Task
from modules.models import loading
from modules.models.network import Network
from tests.modules.models.networks import MODELS, network
from tests.modules.models.user_files import HEAD, MODEL, write_net

TASK = Task("digits", (28, 28, 1), tuple("0123456789"))
# What a network ends with, the line that is told (10 is the network's, 11 the model's), and why.
BAD = {
    "wrong shape": (
        "return nn.Dense(7)(x)",
        11,
        r"apply gives \[4, 7\] for 4 images, expected \[4, 10\]: a number for each of 10 classes$",
    ),
    "a batch that is lost": ("return nn.Dense(self.n)(x).mean(0)", 11, r"apply gives \[10\] for 4"),
    "two outputs": ("return nn.Dense(self.n)(x), x", 11, "apply returns tuple, expected one array"),
    "integers": (
        "return jnp.int32(nn.Dense(self.n)(x))",
        11,
        "the logits are int32, expected floats$",
    ),
    "softmax": ("return nn.softmax(nn.Dense(self.n)(x))", 11, "ends in a softmax; leave it out"),
    "log-softmax": (
        "return nn.log_softmax(nn.Dense(self.n)(x))",
        11,
        "ends in a log-softmax; leave it out",
    ),
    "NaN at init": (
        "return nn.Dense(self.n, kernel_init=nn.initializers.constant(jnp.nan))(x)",
        11,
        "params/Dense_0/kernel is not finite after init$",
    ),
    "NaN in apply": ("return jnp.log(-jnp.abs(nn.Dense(self.n)(x)))", 11, "are not finite with fr"),
    "integer parameters": (
        "return x[:, :10] @ self.param('w', lambda key: jnp.ones((10, self.n), jnp.int32))",
        11,
        "the parameter params/w is int32, expected floats$",
    ),
    "no parameters": ("return x[:, :10]", 11, "there are no parameters to train; expected floats$"),
    "an exception": (
        "return nn.Dense(self.n)(x) @ x",
        10,
        r"TypeError: dot_general requires contracting dimensions .* got \(10,\) and \(1,\)",
    ),
    "values while traced": (
        "return nn.Dense(self.n)(x) if x.sum() > -1 else x",
        10,
        "TracerBoolConversionError: ",
    ),
    "dropout at inference": (
        "return nn.Dropout(0.5, deterministic=False)(nn.Dense(self.n)(x))",
        10,
        'InvalidRngError: Dropout_0 needs PRNG for "dropout"',
    ),
    "others in the batch": (
        "return nn.Dense(self.n)(x - x.mean(axis=0))",
        11,
        "depend on the others of its batch, also at inference",
    ),
    "chance": ("return nn.Dense(self.n)(x) + np.random.rand()", 11, "gave other logits for the sa"),
    "no gradient": (
        "return jax.lax.fori_loop(0, x.shape[0] + jnp.int32(x[0, 0] * 0), "
        "lambda i, y: y * 1.01, nn.Dense(self.n)(x))",
        11,
        "ValueError: Reverse-mode differentiation does not work for lax.while_loop",
    ),
}


def problem(path: Path, task: Task = TASK) -> str:
    with pytest.raises(ConfigError) as told:
        loading.check(Network(loading.load(str(path)), task))
    assert "\n" not in str(told.value)
    return str(told.value)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_network_is_told_in_one_sentence(tmp_path: Path, name: str) -> None:
    line, number, expected = BAD[name]
    path = write_net(tmp_path, line)
    found = problem(path)
    assert found.startswith(f"MODEL: {path}, line {number}: ")
    assert re.search(expected, found), found


@pytest.mark.parametrize("name", loading.names())
def test_the_named_networks_pass(name: str) -> None:
    loading.check(Network(loading.load(name), Task("task", (9, 6, 3), ("a", "b", "c"))))


@pytest.mark.parametrize("name", MODELS)
def test_sound_networks_of_every_kind_pass(name: str) -> None:
    loading.check(network(name))


def test_a_single_class_is_no_softmax(tmp_path: Path) -> None:
    path = write_net(tmp_path, "return nn.Dense(self.n, kernel_init=nn.initializers.zeros)(x)")
    loading.check(Network(loading.load(str(path)), Task("one", (4, 4, 1), ("a",))))


def test_a_last_layer_of_zeros_hides_nothing(tmp_path: Path) -> None:
    line = "return nn.Dense(self.n, kernel_init=nn.initializers.zeros)(x - x.mean(axis=0))"
    assert "depend on the others" in problem(write_net(tmp_path, line))


def test_an_exception_in_init_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "blocks.py"
    path.write_text(
        "from flax import nnx\n"
        "from modules.models import nnx_model\n"
        "class Net(nnx.Module):\n"
        "    def __init__(self, task, rngs):\n"
        "        self.dense = nnx.Linear(3, 4)\n"
        "MODEL = nnx_model(Net)\n"
    )
    expected = rf"MODEL: {path}, line 5: TypeError: .* missing 1 required keyword-only .* 'rngs'"
    assert re.fullmatch(expected, problem(path))


def test_an_exception_beside_the_file_is_told_where_it_is(tmp_path: Path) -> None:
    write_net(tmp_path, "return nn.Dense(self.n)(x) + nowhere", "", "my_layers.py")
    path = tmp_path / "net.py"
    path.write_text(
        "import my_layers\nfrom modules.models import linen\n"
        "MODEL = linen(lambda task: my_layers.Net(task.num_classes))\n"
    )
    expected = f"MODEL: {tmp_path}/my_layers.py, line 10: NameError: name 'nowhere' is not defined"
    assert problem(path) == expected


@pytest.mark.parametrize(
    ("functions", "expected"),
    [
        ("lambda key, task: {'w': jnp.ones((784, 10), int)}, lambda p, x: x", "w is int32; expect"),
        ("lambda key, task: {'w': 3.5}, lambda p, x: x", "w is float, expected an array"),
        ("lambda key, task: {'k': key}, lambda p, x: x", "k is key<fry>, expected an array"),
    ],
)
def test_leaves_that_cannot_be_trained_are_named(
    tmp_path: Path, functions: str, expected: str
) -> None:
    path = tmp_path / "functions.py"
    path.write_text(HEAD + f"        return x\nMODEL = pure({functions})\n")
    found = problem(path)
    assert found.startswith(f"MODEL: {path}, line 11: ") and expected in found


def test_state_that_changes_its_shape_in_training_is_named(tmp_path: Path) -> None:
    path = tmp_path / "functions.py"
    path.write_text(
        HEAD + "        return x\n"
        "def init(key, task): return {'w': jnp.ones((784, 10)), 'n': jnp.int32(0)}\n"
        "def apply(p, x): return x.reshape((len(x), -1)) @ p['w']\n"
        "def train(p, x, key): return apply(p, x), {**p, 'n': p['n'] * 1.5}\n"
        "MODEL = pure(init, apply, train)\n"
    )
    found = problem(path)
    assert f"{path}, line 12: in training n becomes float32[], and was int32[]" in found


def test_what_is_no_model_of_ours_is_told_by_its_class() -> None:
    class Own:
        def init(self, key: jax.Array, task: Task) -> dict:
            return {"w": jax.numpy.ones(3)}

        def apply(self, variables: dict, images: jax.Array, task: Task) -> jax.Array:
            return images

        train_apply = None

        def trainable(self, variables: dict) -> dict:
            return {"w": True}

        def loops_fast_on_cpu(self, task: Task) -> bool:
            return False

    with pytest.raises(ConfigError, match=r"test_checks.py, line \d+: apply gives \[4, 28, 28, 1"):
        loading.check(Network(Own(), TASK))


def test_the_model_of_the_head_is_sound(tmp_path: Path) -> None:
    path = write_net(tmp_path, "return nn.Dense(self.n)(x)")
    assert path.read_text().splitlines()[10] == MODEL.strip()
    loading.check(Network(loading.load(str(path)), TASK))
