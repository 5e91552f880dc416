"""The affine warp: which way its matrix and its shift move an image, and what is beyond it."""

import numpy as np

from data.warp import warp

TURN = np.array([[0.0, -1.0], [1.0, 0.0]])
AS_IT_IS = np.eye(2)


def test_each_image_moves_by_its_own_matrix_and_shift() -> None:
    images = np.random.default_rng(0).uniform(size=(3, 5, 5)).astype(np.float32)
    images[:, [0, -1]] = images[:, :, [0, -1]] = 0  # so that nothing leaves
    found = warp(
        images,
        np.stack([TURN, AS_IT_IS, 2 * AS_IT_IS]),
        np.array([[0.0, 0.0], [1.0, -0.5], [0.0, 0.0]]),
    )
    assert (found.shape, found.dtype) == (images.shape, np.float64)
    np.testing.assert_allclose(found[0], np.rot90(images[0], -1), atol=1e-12)
    between = (images[1] + np.roll(images[1], -1, axis=1)) / 2
    np.testing.assert_allclose(found[1], np.roll(between, 1, axis=0), atol=1e-7)
    smaller = np.zeros((5, 5))
    smaller[1:4, 1:4] = images[2][::2, ::2]
    np.testing.assert_allclose(found[2], smaller, atol=1e-12)


def test_beyond_an_image_is_zero_or_its_border() -> None:
    ones = np.ones((1, 2, 4), np.float32)
    shift = np.array([[0.0, 1.5]])
    row = warp(ones, AS_IT_IS[None], shift)[0, 0]
    np.testing.assert_array_equal(row, [0, 0.5, 1, 1])
    np.testing.assert_array_equal(warp(ones, AS_IT_IS[None], shift, beyond="nearest"), ones)


def test_channels_are_moved_alike() -> None:
    images = np.random.default_rng(0).uniform(size=(2, 5, 7, 3)).astype(np.float32)
    matrices, shifts = np.stack([TURN, AS_IT_IS]), np.array([[0.5, 0.0], [1.0, -2.0]])
    found = warp(images, matrices, shifts)
    for channel in range(3):
        alone = warp(images[..., channel], matrices, shifts)
        np.testing.assert_array_equal(found[..., channel], alone)
