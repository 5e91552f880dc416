"""The augmentation: what the draws do to an image, against NumPy and SciPy."""

from functools import partial

import jax
import numpy as np
import pytest
from scipy import ndimage

from data import warp as warps
from data.task import Augmentation, Task
from modules.training import augmentation
from modules.training.config import TrainConfig

NONE = {"max_rotation": 0.0, "max_shift": 0.0, "max_scaling": 0.0}
# Draws in the order that the images take them; 0.5 leaves an image as it is.
ROTATION, DOWN, RIGHT, SCALING = range(4)
DRAWS = augmentation.draws_of_an_image(TrainConfig())


def augment(images: np.ndarray, draws: np.ndarray, **ranges: float) -> np.ndarray:
    """Augments float32[B, H, H] or [B, H, H, C] by these ranges, and by none that is not given.

    A shift is in pixels here.
    """
    shape = (*images.shape[1:3], 1) if images.ndim == 3 else images.shape[1:]
    ranges = {**NONE, **ranges, "max_shift": ranges.get("max_shift", 0) / shape[0]}
    flat = images.reshape(len(images), -1).astype(np.float32)
    found = augmentation.augment(flat, draws, TrainConfig(**ranges), shape)
    return np.asarray(found).reshape(images.shape)


def draws_with(**values: float) -> np.ndarray:
    """Returns draws float32[1, 4] of 0.5, but for those that are given."""
    places = {"rotation": ROTATION, "down": DOWN, "right": RIGHT, "scaling": SCALING}
    draws = np.full((1, DRAWS), 0.5, np.float32)
    for name, value in values.items():
        draws[0, places[name]] = value
    return draws


def noise(count: int, border: int = 0) -> np.ndarray:
    """Returns images float32[count, 28, 28] without two equal pixels inside an empty border."""
    inside = np.random.default_rng(0).uniform(size=(count, 28 - 2 * border, 28 - 2 * border))
    return np.pad(inside, ((0, 0), (border, border), (border, border))).astype(np.float32)


def warp(image: np.ndarray, matrix: np.ndarray, shift: tuple[float, float] = (0, 0)) -> np.ndarray:
    """Returns the image float64[28, 28] that the warp of the data makes, of float32[28, 28]."""
    return warps.warp(image[None], matrix[None], np.array([shift]), beyond="nearest")[0]


def rotation(degrees: float) -> np.ndarray:
    """Returns the matrix for `warp` that turns an image clockwise."""
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def test_ranges_of_zero_give_the_images_back() -> None:
    images = noise(3)
    draws = np.random.default_rng(1).uniform(size=(3, DRAWS)).astype(np.float32)
    np.testing.assert_array_equal(augment(images, draws), images)


def test_draws_in_the_middle_give_the_images_back() -> None:
    images = noise(1)
    found = augment(images, draws_with(), max_rotation=15, max_shift=2, max_scaling=0.15)
    np.testing.assert_allclose(found, images, atol=1e-6)


@pytest.mark.parametrize(("axis", "direction"), [(1, "down"), (2, "right")])
@pytest.mark.parametrize(("draw", "pixels"), [(0.0, -3), (1.0, 3), (1 / 6, -2), (2 / 3, 1)])
def test_a_shift_moves_the_image_by_its_draw_along_its_axis(
    axis: int, direction: str, draw: float, pixels: int
) -> None:
    image = noise(1, border=3)
    found = augment(image, draws_with(**{direction: draw}), max_shift=3)
    np.testing.assert_allclose(found, np.roll(image, pixels, axis), atol=1e-5)


def test_beyond_the_border_its_own_pixels_go_on() -> None:
    image = noise(1)
    [found] = augment(image, draws_with(down=1.0, right=0.0), max_shift=2)
    expected = ndimage.shift(image[0], (2, -2), order=1, mode="nearest")
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(found[:2, :-2], np.tile(image[0, 0, 2:], (2, 1)), atol=1e-5)


@pytest.mark.parametrize(("draw", "degrees"), [(0.0, -15), (0.25, -7.5), (1.0, 15)])
def test_a_rotation_is_scipys_by_the_share_of_the_range_that_was_drawn(
    draw: float, degrees: float
) -> None:
    image = noise(1)
    [found] = augment(image, draws_with(rotation=draw), max_rotation=15)
    np.testing.assert_allclose(found, warp(image[0], rotation(degrees)), atol=1e-5)


@pytest.mark.parametrize(("draw", "scale"), [(0.0, 0.8), (0.75, 1.1), (1.0, 1.2)])
def test_a_draw_above_a_half_makes_the_image_larger_and_below_smaller(
    draw: float, scale: float
) -> None:
    square = np.zeros((1, 28, 28), np.float32)
    square[:, 9:19, 9:19] = 1
    [found] = augment(square, draws_with(scaling=draw), max_scaling=0.2)
    assert found.sum() == pytest.approx(100 * scale**2, rel=0.02)
    np.testing.assert_allclose(found, warp(square[0], np.eye(2) / scale), atol=1e-5)


def test_all_at_once_is_a_rotation_and_scaling_about_the_centre_and_then_a_shift() -> None:
    """Each image by its own draws."""
    images = noise(4, border=9)  # nothing reaches the border
    draws = np.random.default_rng(2).uniform(size=(4, DRAWS)).astype(np.float32)
    found = augment(images, draws, max_rotation=20, max_shift=3, max_scaling=0.2)
    for image, own, result in zip(images, 2 * draws.astype(np.float64) - 1, found, strict=True):
        matrix = rotation(20 * own[ROTATION]) / (1 + 0.2 * own[SCALING])
        expected = warp(image, matrix, shift=3 * own[[DOWN, RIGHT]])
        np.testing.assert_allclose(result, expected, atol=1e-5)


def test_the_same_draws_give_the_same_bits_and_other_draws_another_image() -> None:
    image, config, shape = noise(1).reshape(1, 784), TrainConfig(), (28, 28, 1)
    draws = np.full((1, DRAWS), 0.3, np.float32)
    compiled = jax.jit(partial(augmentation.augment, config=config, image_shape=shape))
    np.testing.assert_array_equal(compiled(image, draws), compiled(image, draws))
    for place in range(DRAWS):
        other = draws.copy()
        other[0, place] = 0.7
        difference = compiled(image, draws) - compiled(image, other)
        assert np.abs(difference).max() > 0.1, place


def test_a_constant_image_stays_as_it_is() -> None:
    """No edge comes into being: MNIST's background is not zero once it is normalised."""
    images = np.full((20, 28, 28), -0.42, np.float32)
    draws = np.random.default_rng(3).uniform(size=(20, DRAWS)).astype(np.float32)
    found = augment(images, draws, max_rotation=45, max_shift=10, max_scaling=0.5)
    np.testing.assert_allclose(found, images, rtol=1e-6)


def test_each_channel_is_augmented_as_if_it_were_alone() -> None:
    colours = np.random.default_rng(0).uniform(size=(2, 9, 9, 3)).astype(np.float32)
    draws = np.random.default_rng(1).uniform(size=(2, DRAWS)).astype(np.float32)
    ranges = {"max_rotation": 20, "max_shift": 2, "max_scaling": 0.2}
    found = augment(colours, draws, **ranges)
    for channel in range(3):
        alone = augment(colours[..., channel], draws, **ranges)
        np.testing.assert_allclose(found[..., channel], alone, atol=1e-6)


def test_a_shift_is_a_share_of_each_side() -> None:
    image = np.zeros((1, 20, 40), np.float32)
    image[0, 8, 16] = 1
    config = TrainConfig(**{**NONE, "max_shift": 0.1})
    found = augmentation.augment(
        image.reshape(1, -1), np.float32([[0.5, 1, 0, 0.5]]), config, (20, 40, 1)
    )
    np.testing.assert_allclose(found.reshape(20, 40)[10, 12], 1, atol=1e-4)


def test_the_shift_of_mnist_is_two_pixels() -> None:
    assert TrainConfig().max_shift * 28 == 2.0


@pytest.mark.parametrize(
    "shape", [(2, 2, 1), (2, 5, 3), (3, 2, 1), (1, 4, 1), (4, 1, 3), (1, 1, 1)]
)
def test_small_sides_will_do(shape: tuple[int, int, int]) -> None:
    pixels = np.random.default_rng(0).uniform(size=(3, np.prod(shape))).astype(np.float32)
    draws = np.random.default_rng(1).uniform(size=(3, DRAWS)).astype(np.float32)
    found = np.asarray(augmentation.augment(pixels, draws, TrainConfig(), shape))
    assert (found.min(axis=1) >= pixels.min(axis=1) - 1e-6).all()
    assert (found.max(axis=1) <= pixels.max(axis=1) + 1e-6).all()


def test_the_last_draw_flips_half_of_the_images_where_they_may_be() -> None:
    config = TrainConfig(**NONE, flip=True)
    assert augmentation.draws_of_an_image(config) == DRAWS + 1
    images = np.random.default_rng(0).uniform(size=(2, 3, 4, 3)).astype(np.float32)
    draws = np.full((2, DRAWS + 1), 0.5, np.float32)
    draws[:, -1] = [0.49, 0.5]
    found = augmentation.augment(images.reshape(2, -1), draws, config, (3, 4, 3))
    found = np.asarray(found).reshape(images.shape)
    np.testing.assert_array_equal(found[0], images[0, :, ::-1])
    np.testing.assert_array_equal(found[1], images[1])


def test_the_augmentation_is_that_of_the_task() -> None:
    own = Augmentation(max_rotation=3, max_shift=0.2, max_scaling=0.4, flip=True)
    task = Task("own", (4, 4, 1), ("a", "b"), augmentation=own)
    found = TrainConfig(epochs=3).augmented(task)
    assert found == TrainConfig(3, max_rotation=3, max_shift=0.2, max_scaling=0.4, flip=True)
    assert TrainConfig().augmented(Task("plain", (4, 4, 1), ("a", "b"))) == TrainConfig()
