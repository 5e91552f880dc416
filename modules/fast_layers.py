"""Convolution, relu and average pooling as one layer that trains fast on a CPU.

XLA's own convolution is slow there, many times so inside a loop, where its gradients are. These two
formulations are sums and matrix products only, and they compute what Flax's layers compute:

- With one input channel, the 4x4 pixels under each pooling window go through one matrix product to
  the four outputs of the window.
- Otherwise, Winograd's F(2x2, 3x3) takes 16 products where a 2x2 patch of outputs, which is just
  what is pooled, would take 36. Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural
  Networks", https://arxiv.org/abs/1509.09308, whose letters B, G and A are used here.

Inside, the batch is the last axis but one (rows, columns, batch, channels), so that slices and
shifts of rows and columns move whole batches. `H`, `W`, `C`, `F` are the input's height, width and
channels and the number of outputs, `N` the H/2 * W/2 * B pooling windows.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

_B = np.array([[1, 0, 0, 0], [0, 1, -1, 1], [-1, 1, 1, 0], [0, 0, 0, -1]])
_G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)
_A = np.array([[1, 0], [1, 1], [1, -1], [0, -1]])
_WINDOW = (0, 1)  # rows, or columns, of a pooling window
_TILE = (0, 1, 2, 3)  # rows, or columns, of the inputs that a window depends on
# The (row of a tile, offset of the tile in tiles) that an even and an odd row of the input is in.
_IN_TILES = (((1, 0), (3, -1)), ((2, 0), (0, 1)))
_Grid = Sequence[Sequence[jax.Array]]


class ConvReluPool(nn.Module):
    """A 3x3 convolution, relu and 2x2 average pooling, with the parameters of `nn.Conv`.

    Attributes:
      features: output channels.
    """

    features: int

    @nn.compact
    def __call__(self, inputs: jax.Array) -> jax.Array:
        """Maps float32[B, H, W, C] to float32[B, H/2, W/2, features]; H and W are even."""
        shape = (3, 3, inputs.shape[-1], self.features)
        kernel = self.param("kernel", nn.linear.default_kernel_init, shape)
        bias = self.param("bias", nn.initializers.zeros_init(), (self.features,))
        layer = _one_channel if inputs.shape[-1] == 1 else _winograd
        return layer(inputs.transpose(1, 2, 0, 3), kernel, bias).transpose(2, 0, 1, 3)


@jax.custom_vjp
def _one_channel(inputs: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Maps float32[H, W, B, 1] to float32[H/2, W/2, B, F]; has no gradient for `inputs`."""
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
    return pooled.reshape(height // 2, width // 2, batch, features), (tiles, outputs, bias)


def _one_channel_backward(residuals: tuple, gradient: jax.Array) -> tuple:
    tiles, outputs, bias = residuals
    gradient = _quarter(gradient.reshape(-1, len(bias)))
    gradient = jnp.where(outputs > 0, jnp.tile(gradient, (1, 4)), 0)
    both = tiles.T @ gradient  # [17, 4 F]
    kernels = both[:16].reshape(4, 4, 2, 2, -1)
    kernel = sum(
        kernels[row : row + 3, column : column + 3, row, column]
        for row in _WINDOW
        for column in _WINDOW
    )
    return None, kernel[:, :, None], both[16].reshape(4, -1).sum(0)


_one_channel.defvjp(_one_channel_forward, _one_channel_backward)


@jax.custom_vjp
def _winograd(inputs: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Maps float32[H, W, B, C] to float32[H/2, W/2, B, F]."""
    return _winograd_forward(inputs, kernel, bias)[0]


def _winograd_forward(
    inputs: jax.Array, kernel: jax.Array, bias: jax.Array
) -> tuple[jax.Array, tuple]:
    height, width, batch, channels = inputs.shape
    u = jnp.einsum("ki,lj,ijcf->klcf", _G, _G, kernel)
    v = [[x.reshape(-1, channels) for x in row] for row in _sandwich(_B.T, _tiles(inputs))]
    m = [[v[k][l] @ u[k, l] for l in _TILE] for k in _TILE]  # noqa: E741
    y = [[_quarter(x + bias) for x in row] for row in _sandwich(_A.T, m)]
    pooled = sum(jax.nn.relu(x) for row in y for x in row)
    return pooled.reshape(height // 2, width // 2, batch, -1), (u, v, y)


def _winograd_backward(residuals: tuple, gradient: jax.Array) -> tuple:
    u, v, y = residuals
    height, width, batch, features = gradient.shape
    gradient = gradient.reshape(-1, features)
    dm = _sandwich(_A, [[_quarter(jnp.where(x > 0, gradient, 0)) for x in row] for row in y])
    dv = [
        [(dm[k][l] @ u[k, l].T).reshape(height, width, batch, -1) for l in _TILE]  # noqa: E741
        for k in _TILE
    ]
    # Summed over the rows of tiles last: XLA takes many products of fewer rows faster.
    du = jax.tree.leaves(jax.tree.map(lambda x, dx: _outer(x, dx, height), v, dm))
    kernel = jnp.einsum("ki,lj,klcf->ijcf", _G, _G, jnp.stack(du).reshape(u.shape))
    # A's second row adds up all four outputs of a window.
    return _untile(_sandwich(_B, dv)), kernel, jnp.ones(len(dm[1][1])) @ dm[1][1]


_winograd.defvjp(_winograd_forward, _winograd_backward)


def _outer(x: jax.Array, y: jax.Array, parts: int) -> jax.Array:
    """Returns x.T @ y for float32[N, C] and float32[N, F], summed part by part."""
    x, y = x.reshape(parts, -1, x.shape[-1]), y.reshape(parts, -1, y.shape[-1])
    return jnp.einsum("pnc,pnf->pcf", x, y).sum(0)


def _quarter(x: jax.Array) -> jax.Array:
    """Returns x / 4, for finite x, and has XLA compute it once.

    XLA fuses what is cheap into each operation that uses it, and repeats all of it there. A
    division by what it cannot know is not cheap to it.
    """
    return x / (4 + 0 * x)


def _sandwich(matrix: np.ndarray, grid: _Grid) -> list[list[jax.Array]]:
    """Returns matrix @ grid @ matrix.T, for a grid of arrays and a matrix of 0, 1 and -1."""
    columns = [[_combine(row, column) for row in matrix] for column in zip(*grid, strict=True)]
    return [[_combine(row, line) for row in matrix] for line in zip(*columns, strict=True)]


def _combine(signs: np.ndarray, arrays: Sequence[jax.Array]) -> jax.Array:
    """Returns the sum of the arrays with a sign of 1, less those with a sign of -1."""
    signed = list(zip(signs, arrays, strict=True))
    return sum(x for sign, x in signed if sign == 1) - sum(x for sign, x in signed if sign == -1)


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
