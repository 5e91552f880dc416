"""A training on several devices, or in several processes, is the one on a single device."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from modules.training import augmentation, loop, steps
from modules.training.job import TrainingJob
from modules.training.saved import checkpoints
from tests.modules.training.small_training import FOUR_STEPS, HALVES, assert_close, make_few, start
from tests.support.machine import free_port

TOLERANCE = 1e-4  # of an array's largest value: sums are taken in another order
STEPS, BATCH = 4, FOUR_STEPS.batch_size
JOB = TrainingJob(HALVES.task, "cnn", FOUR_STEPS)
FAST_TO_COMPILE = "--xla_backend_optimization_level=0"


def start_on_cpu(devices: int, *arguments: object) -> subprocess.Popen[str]:
    """Starts `main` in a process that has so many devices."""
    flags = f"{FAST_TO_COMPILE} --xla_force_host_platform_device_count={devices}"
    return start(
        "tests.modules.training.test_devices", *arguments, JAX_PLATFORMS="cpu", XLA_FLAGS=flags
    )


def load(process: subprocess.Popen[str], path: Path) -> dict[str, np.ndarray]:
    """Waits for the process; returns what it saved."""
    shown, _ = process.communicate(timeout=900)
    assert process.returncode == 0, shown
    with np.load(path) as saved:
        return dict(saved)


def params_of(saved: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: value for name, value in saved.items() if name.startswith("params")}


@pytest.fixture(scope="module")
def one_device(four_steps: loop.TrainResult) -> dict[str, np.ndarray]:
    return flat(four_steps)


@pytest.fixture(scope="module")
def four_devices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    path = tmp_path_factory.mktemp("devices") / "four.npz"
    return load(start_on_cpu(4, path), path)


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, np.ndarray]]:
    folder, port = tmp_path_factory.mktemp("processes"), free_port()
    paths = [folder / f"{index}.npz" for index in (0, 1)]
    processes = [start_on_cpu(1, path, port, index) for index, path in enumerate(paths)]
    try:
        return [load(*pair) for pair in zip(processes, paths, strict=True)]
    finally:
        for process in processes:
            process.kill()


def test_four_devices_train_as_one_does(one_device: dict, four_devices: dict) -> None:
    assert four_devices["devices"] == 4
    assert_close(params_of(four_devices), params_of(one_device), TOLERANCE)
    assert_close(four_devices["losses"], one_device["losses"], TOLERANCE)


def test_each_of_four_devices_takes_its_quarter_of_every_batch(four_devices: dict) -> None:
    quarters = [(device, BATCH // 4) for device in range(4)]
    found, counts = np.unique(four_devices["parts"], axis=0, return_counts=True)
    assert [tuple(part) for part in found] == quarters
    assert counts.tolist() == [STEPS] * 4


def test_the_number_of_devices_is_part_of_the_key(four_devices: dict, one_device: dict) -> None:
    """Since it changes the last bits."""
    assert four_devices["key"] != one_device["key"]


def test_two_processes_train_as_one_does(one_device: dict, two_processes: list[dict]) -> None:
    for saved in two_processes:
        assert saved["devices"] == 2
        assert_close(params_of(saved), params_of(one_device), TOLERANCE)


def test_two_processes_end_with_the_same_bits_and_history(two_processes: list[dict]) -> None:
    first, second = two_processes
    for name in (*params_of(first), "losses"):
        np.testing.assert_array_equal(first[name], second[name])


def test_each_of_two_processes_takes_its_half_of_every_batch(two_processes: list[dict]) -> None:
    for index, saved in enumerate(two_processes):
        assert np.unique(saved["parts"], axis=0).tolist() == [[index, BATCH // 2]]


def test_a_batch_that_devices_cannot_share_is_refused(four_devices: dict) -> None:
    assert four_devices["refusal"] == "batch_size 9 cannot be shared by 4 devices"


def test_other_devices_than_a_cpu_train_alike(
    monkeypatch: pytest.MonkeyPatch, one_device: dict
) -> None:
    """With Flax's own layers, and an epoch in one call."""
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    found = flat(loop.train(HALVES, *make_few(), FOUR_STEPS))
    assert_close(params_of(found), params_of(one_device), TOLERANCE)
    # That they are not the same to the last bit shows that it was another way.
    assert any(np.any(found[name] != one_device[name]) for name in params_of(found))


def flat(result: loop.TrainResult) -> dict[str, np.ndarray]:
    """Returns what `np.savez` can save of a training of FOUR_STEPS in this process."""
    leaves = jax.tree.leaves_with_path(result.variables)
    return {
        **{f"params{jax.tree_util.keystr(path)}": value for path, value in leaves},
        "losses": np.array([metrics.train_loss for metrics in result.history]),
        "key": np.array(checkpoints.training_key(*make_few(), JOB)),
        "devices": np.array(jax.device_count()),
    }


def main(path: str, port: str = "", index: str = "") -> None:
    """Trains and saves what comes of it, and which part of each batch which device took."""
    if port:
        jax.distributed.initialize(f"localhost:{port}", 2, int(index))
    parts: list[tuple[int, int]] = []
    augment = augmentation.augment

    def watched(pixels: jax.Array, *arguments: Any) -> jax.Array:
        device = jax.lax.axis_index(steps.AXIS)
        jax.debug.callback(lambda device: parts.append((int(device), len(pixels))), device)
        return augment(pixels, *arguments)

    augmentation.augment = watched
    refusal = ""
    try:
        loop.train(HALVES, *make_few(), dataclasses.replace(FOUR_STEPS, batch_size=9))
    except ValueError as error:
        refusal = str(error)
    result = loop.train(HALVES, *make_few(), FOUR_STEPS)
    jax.effects_barrier()
    np.savez(path, parts=np.array(parts), refusal=np.array(refusal), **flat(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
