"""The hard set: the same everywhere, readable, and nothing of a digit lost."""

import hashlib

import numpy as np
import pytest

from data import hard
from data.digits import make_digits
from data.finding.opening import open_data
from data.splits import Split


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """The digits' eval images float32[364, 28, 28, 1]."""
    folder = tmp_path_factory.mktemp("data") / "digits"
    make_digits(folder)
    return open_data(folder).features(Split.EVAL)[0].reshape(-1, 28, 28, 1)


def _centres(images: np.ndarray) -> np.ndarray:
    """Centres of mass (down, right) float64[N, 2], in pixels from the images' centre."""
    squares = images.reshape(-1, 28, 28).astype(np.float64)
    places = np.arange(28) - 13.5
    moments = [squares.sum(axis=2) @ places, squares.sum(axis=1) @ places]
    return np.stack(moments, axis=1) / squares.sum(axis=(1, 2))[:, None]


def _spreads(images: np.ndarray) -> np.ndarray:
    """Root mean square distance of the ink from its centre of mass, float64[N], in pixels."""
    squares = images.reshape(-1, 28, 28).astype(np.float64)
    down, right = np.indices((28, 28)) - 13.5
    mean_square = (squares * (down**2 + right**2)).sum(axis=(1, 2)) / squares.sum(axis=(1, 2))
    return np.sqrt(mean_square - (_centres(images) ** 2).sum(axis=1))


def test_values_are_grey_levels(images: np.ndarray) -> None:
    made = hard.make_hard(images, 0)
    assert (made.shape, made.dtype) == (images.shape, np.float32)
    levels = np.rint(made * 255)
    np.testing.assert_array_equal(made, levels.astype(np.float32) / np.float32(255))
    assert (levels.min(), levels.max()) == (0, 255)


def test_the_same_on_every_machine(images: np.ndarray) -> None:
    made = np.rint(hard.make_hard(images, 0) * 255).astype(np.uint8)
    assert hashlib.sha256(made.tobytes()).hexdigest() == (
        "d49c8f2cec32bf61373c2c02e2db8772e7c667c74071bd03d7accd4febd4f676"
    )


@pytest.mark.parametrize("size", [1, 7, 100])
def test_an_image_depends_on_its_index_alone(images: np.ndarray, size: int) -> None:
    whole = hard.make_hard(images, 0)
    parts = [hard.make_hard(images[i : i + size], i) for i in range(0, len(images), size)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_each_index_has_amounts_of_its_own(images: np.ndarray) -> None:
    made = hard.make_hard(np.tile(images[:1], (1000, 1, 1, 1)), 0)
    assert len(np.unique(made, axis=0)) == 1000


def test_amounts_fill_their_ranges_evenly() -> None:
    """Of small images, which no border holds back: the mean and the bounds of each range."""
    small = np.zeros((2000, 28, 28), np.float32)
    small[:, 10:18, 12:16] = 1
    small = small[..., None]
    made = hard.make_hard(small, 0)
    shifts = _centres(made) - _centres(small)
    np.testing.assert_allclose(shifts.mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose([shifts.min(), shifts.max()], [-3, 3], atol=0.02)
    scales = np.sqrt(made.sum(axis=(1, 2, 3)) / small.sum(axis=(1, 2, 3)))
    np.testing.assert_allclose(scales.mean(), 1, atol=0.02)
    np.testing.assert_allclose([scales.min(), scales.max()], [0.8, 1.2], atol=0.03)


def test_turns_by_up_to_twenty_degrees_either_way() -> None:
    """A bar's axis, from its second moments."""
    bar = np.zeros((28, 28), np.float32)
    bar[13:15, 4:24] = 1
    made = hard.make_hard(np.tile(bar[None, ..., None], (2000, 1, 1, 1)), 0)
    centres = _centres(made)
    made = made.reshape(-1, 784).astype(np.float64)
    down, right = ((np.indices((28, 28)) - 13.5).reshape(2, 1, 784)) - centres.T[..., None]
    both = (made * down * right).sum(axis=1)
    difference = (made * (right**2 - down**2)).sum(axis=1)
    degrees = np.degrees(np.arctan2(2 * both, difference) / 2)
    np.testing.assert_allclose(degrees.mean(), 0, atol=1)
    np.testing.assert_allclose([degrees.min(), degrees.max()], [-20, 20], atol=1)


def test_no_ink_is_lost_at_the_border(images: np.ndarray) -> None:
    """Ink grows as the square of the size; a frame around the image would lose some at once."""
    frame = np.ones((28, 28), np.float32)
    frame[2:-2, 2:-2] = 0
    given = np.concatenate([images, np.tile(frame[None, ..., None], (1000, 1, 1, 1))])
    made = hard.make_hard(given, 0)
    scales = _spreads(made) / _spreads(given)
    kept = made.sum(axis=(1, 2, 3)) / given.sum(axis=(1, 2, 3)) / scales**2
    np.testing.assert_allclose(kept, 1, atol=0.1)


def test_an_empty_image_stays_empty() -> None:
    assert not hard.make_hard(np.zeros((3, 28, 28, 1), np.float32), 5).any()


def test_channels_move_together_and_amounts_follow_the_size() -> None:
    """Twice as large an image is moved twice as far; three channels as one is."""
    small = np.zeros((50, 28, 28), np.float32)
    small[:, 10:18, 12:16] = 1
    large = np.kron(small, np.ones((2, 2), np.float32))
    colours = np.stack([large, large / 5, np.zeros_like(large)], axis=3)
    made = hard.make_hard(colours, 7)
    grey = hard.make_hard(large[..., None], 7)
    np.testing.assert_array_equal(made[..., 0], grey[..., 0])
    np.testing.assert_allclose(made[..., 1], grey[..., 0] / 5, atol=0.003)
    assert not made[..., 2].any()
    shifts = _centres(hard.make_hard(small[..., None], 7)) - _centres(small)
    places = np.arange(56) - 27.5
    sums = [(rows.sum(axis=2) @ places) / rows.sum(axis=(1, 2)) for rows in (grey[..., 0], large)]
    np.testing.assert_allclose(sums[0] - sums[1], 2 * shifts[:, 0], atol=0.15)


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 9, 3), (28, 1, 1), (224, 31, 1)])
def test_any_shape(shape: tuple[int, int, int]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, *shape)).astype(np.float32) / 255
    made = hard.make_hard(images, 3)
    assert (made.shape, made.dtype) == (images.shape, np.float32)
    assert made.min() >= 0 and made.max() <= 1
    np.testing.assert_array_equal(hard.make_hard(images[2:], 5), made[2:])


def test_a_photograph_is_continued_by_its_border() -> None:
    """Black wedges would be none of what a camera sees; nor is it made smaller to keep all."""
    white = np.ones((100, 28, 28, 3), np.float32)
    np.testing.assert_array_equal(hard.make_hard(white, 0), white)
    with_square = white.copy()
    with_square[:, 10:18, 12:16] = 0.5
    inside = (hard.make_hard(with_square, 0)[..., 0] < 0.75).sum(axis=(1, 2)) / 32
    np.testing.assert_allclose([inside.min(), inside.max()], [0.64, 1.44], atol=0.2)
