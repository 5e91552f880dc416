"""Convolution, relu and average pooling as one layer that trains fast on a CPU.

XLA's own convolution is slow on CPUs, and many times slower inside a loop, because of its
gradients. The two formulations here use only sums and matrix products, and compute what Flax's
layers compute:

- With one input channel, one matrix product takes the 4x4 pixels under each pooling window to the
  four outputs of the window.
- Otherwise, Winograd's F(2x2, 3x3) needs 16 products for a 2x2 patch of outputs, which is exactly
  what is pooled, instead of 36. Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural
  Networks", https://arxiv.org/abs/1509.09308, whose letters B, G and A are used here.

Inside, the axes are rows, columns, batch, channels, so that slices and shifts of rows and columns
move whole batches; height and width are even. `H`, `W`, `C`, `F` are the input's height, width and
channels and the number of outputs, `N` the H/2 * W/2 * B pooling windows.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import linen as nn

_B = ((1, 0, 0, 0), (0, 1, -1, 1), (-1, 1, 1, 0), (0, 0, 0, -1))
_G = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))
_A = ((1, 0), (1, 1), (1, -1), (0, -1))
_WINDOW = (0, 1)  # rows, or columns, of a pooling window
_TILE = (0, 1, 2, 3)  # rows, or columns, of the inputs that a window depends on
# The (row of a tile, offset of the tile in tiles) that an even and an odd row of the input is in.
_IN_TILES = (((1, 0), (3, -1)), ((2, 0), (0, 1)))
_Matrix = Sequence[Sequence[float]]
_Grid = Sequence[Sequence[jax.Array]]


def serves(sides: tuple[int, int]) -> bool:
    """Returns whether inputs of this height and width leave a whole window to pool."""
    return min(sides) > 1


class ConvReluPool(nn.Module):
    """A 3x3 convolution, relu and 2x2 average pooling, with the parameters of `nn.Conv`.

    Attributes:
      features: output channels.
    """

    features: int

    @nn.compact
    def __call__(self, inputs: jax.Array) -> jax.Array:
        """Maps float32[B, H, W, C] to float32[B, H/2, W/2, features].

        As with `nn.avg_pool`, the last row or column is dropped if their number is odd. As with
        `nn.Conv`, the result has the type that inputs and parameters promote to; types narrower
        than float32 are computed in float32.

        Where an input is infinite or NaN, or a sum overflows, this layer and Flax's both give NaN
        or infinity, but not always the same of the two. Here, all outputs whose pooling window is
        within two pixels may be affected: the formulations multiply such a number by zero, or
        subtract it from itself, where Flax's convolution does not look at it.

        Raises:
          ValueError: the inputs have another number of dimensions, or are complex.
        """
        if inputs.ndim != 4:
            raise ValueError(f"the inputs have the shape {inputs.shape}; expected [B, H, W, C]")
        shape = (3, 3, inputs.shape[-1], self.features)
        kernel = self.param("kernel", nn.linear.default_kernel_init, shape)
        bias = self.param("bias", nn.initializers.zeros_init(), (self.features,))
        dtype = jnp.result_type(inputs, kernel, bias)
        if jnp.issubdtype(dtype, jnp.complexfloating):
            raise ValueError(f"relu has no meaning for {dtype}; expected real numbers")
        wide = jnp.promote_types(dtype, jnp.float32)
        inputs, kernel, bias = (x.astype(wide) for x in (inputs, kernel, bias))
        _, height, width, channels = inputs.shape
        layer = _one_channel if channels == 1 else _winograd
        # One row of zeros more is what the convolution finds beyond the border anyway.
        even = jnp.pad(inputs, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)))
        pooled = layer(even.transpose(1, 2, 0, 3), kernel, bias).transpose(2, 0, 1, 3)
        return pooled[:, : height // 2, : width // 2].astype(dtype)


@jax.custom_vjp
def _one_channel(inputs: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Maps float32[H, W, B, 1] to float32[H/2, W/2, B, F]."""
    return _one_channel_forward(inputs, kernel, bias)[0]


def _one_channel_forward(
    inputs: jax.Array, kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, tuple]:
    height, width, batch, _ = inputs.shape
    features = len(bias)
    tiles = [tile.reshape(-1) for row in _tiles(inputs) for tile in row]
    # A column of ones for the bias, whose gradient then comes with the kernel's.
    tiles = jnp.stack([*tiles, jnp.ones_like(tiles[0])], axis=1)  # [N, 17]
    kernels = [
        jnp.pad(kernel[:, :, 0], ((row, 1 - row), (column, 1 - column), (0, 0)))
        for row in _WINDOW
        for column in _WINDOW
    ]
    kernels = jnp.stack(kernels, axis=2).reshape(16, 4 * features)
    outputs = tiles @ jnp.concatenate([kernels, jnp.tile(bias, 4)[None]])  # [N, 4 F]
    pooled = sum(jax.nn.relu(output) for output in jnp.split(outputs, 4, axis=1)) / 4
    pooled = pooled.reshape(height // 2, width // 2, batch, features)
    return pooled, (tiles, kernels, outputs)


def _one_channel_backward(residuals: tuple, gradient: jax.Array) -> tuple:
    tiles, kernels, outputs = residuals
    *windows, features = gradient.shape
    gradient = _quarter(gradient.reshape(len(tiles), features))
    gradient = jnp.where(outputs > 0, jnp.tile(gradient, (1, 4)), 0)
    both = tiles.T @ gradient  # [17, 4 F]
    by_place = both[:16].reshape(4, 4, 2, 2, features)
    kernel = sum(
        by_place[row : row + 3, column : column + 3, row, column]
        for row in _WINDOW
        for column in _WINDOW
    )
    # XLA leaves it out where nothing asks for it, as before an image.
    inputs = jnp.split(gradient @ kernels.T, 16, axis=1)
    inputs = [[inputs[4 * row + column].reshape(*windows, 1) for column in _TILE] for row in _TILE]
    return _untile(inputs), kernel[:, :, None], both[16].reshape(4, features).sum(0)


_one_channel.defvjp(_one_channel_forward, _one_channel_backward)


@jax.custom_vjp
def _winograd(inputs: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Maps float32[H, W, B, C] to float32[H/2, W/2, B, F]."""
    return _winograd_forward(inputs, kernel, bias)[0]


def _winograd_forward(
    inputs: jax.Array, kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, tuple]:
    height, width, batch, channels = inputs.shape
    u = _sandwich(_G, [list(row) for row in kernel])
    v = _sandwich(_transpose(_B), _tiles(inputs))
    windows = height // 2 * (width // 2) * batch
    v = jax.tree.map(lambda x: x.reshape(windows, channels), v)
    m = jax.tree.map(jnp.matmul, v, u)
    y = jax.tree.map(lambda x: _quarter(x + bias), _sandwich(_transpose(_A), m))
    pooled = sum(jax.nn.relu(x) for row in y for x in row)
    return pooled.reshape(height // 2, width // 2, batch, len(bias)), (u, v, y)


def _winograd_backward(residuals: tuple, gradient: jax.Array) -> tuple:
    u, v, y = residuals
    height, width, batch, features = gradient.shape
    gradient = gradient.reshape(height * width * batch, features)
    dy = jax.tree.map(lambda x: _quarter(jnp.where(x > 0, gradient, 0)), y)
    dm = _sandwich(_A, dy)
    dv = jax.tree.map(lambda x, y: (x @ y.T).reshape(height, width, batch, len(y)), dm, u)
    du = jax.tree.map(lambda x, y: x.T @ y, v, dm)
    kernel = jnp.stack([jnp.stack(row) for row in _sandwich(_transpose(_G), du)])
    # A's second row adds up all four outputs of a window.
    return _untile(_sandwich(_B, dv)), kernel, jnp.ones(len(dm[1][1])) @ dm[1][1]


_winograd.defvjp(_winograd_forward, _winograd_backward)


def _quarter(x: jax.Array) -> jax.Array:
    """Returns x / 4, and has XLA compute it once.

    XLA fuses what is cheap into each operation that uses it, and repeats all of it there. A
    division by what it does not know to be 4 is not cheap to it; nothing is above infinity. (An
    `optimization_barrier` is gone on a CPU before that.)
    """
    return x / jnp.where(x > jnp.inf, 5, 4).astype(x.dtype)


def _sandwich(matrix: _Matrix, grid: _Grid) -> list[list[jax.Array]]:
    """Returns matrix @ grid @ matrix.T, for a grid of arrays."""
    columns = [[_combine(row, column) for row in matrix] for column in _transpose(grid)]
    return [[_combine(row, line) for row in matrix] for line in _transpose(columns)]


def _combine(weights: Sequence[float], arrays: Sequence[jax.Array]) -> jax.Array:
    """Returns the weighted sum of the arrays."""
    return sum(weight * x for weight, x in zip(weights, arrays, strict=True) if weight)


def _transpose(rows: Sequence[Sequence]) -> list[list]:
    return [list(column) for column in zip(*rows, strict=True)]


def _tiles(inputs: jax.Array) -> list[list[jax.Array]]:
    """Cuts [H, W, B, C], zero around, into overlapping tiles: 4x4 arrays [H/2, W/2, B, C]."""
    height, width, batch, channels = inputs.shape
    padded = jnp.pad(inputs, ((1, 1), (1, 1), (0, 0), (0, 0)))
    pairs = padded.reshape(height // 2 + 1, 2, width // 2 + 1, 2, batch, channels)
    return [
        [
            pairs[row // 2 :, row % 2, column // 2 :, column % 2][: height // 2, : width // 2]
            for column in _TILE
        ]
        for row in _TILE
    ]


def _untile(tiles: _Grid) -> jax.Array:
    """Adds 4x4 arrays [H/2, W/2, B, C] of overlapping tiles up to [H, W, B, C]."""
    height, width, batch, channels = tiles[0][0].shape
    padded = [[jnp.pad(x, ((1, 1), (1, 1), (0, 0), (0, 0))) for x in row] for row in tiles]

    def pixels(rows: tuple, columns: tuple) -> jax.Array:
        return sum(
            padded[row][column][1 + down : 1 + down + height, 1 + right : 1 + right + width]
            for row, down in rows
            for column, right in columns
        )

    rows = [jnp.stack([pixels(r, c) for c in _IN_TILES], axis=2) for r in _IN_TILES]
    return jnp.stack(rows, axis=1).reshape(2 * height, 2 * width, batch, channels)
