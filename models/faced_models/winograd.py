"""5x5 convolutions with fewer multiplications: Winograd's minimal filtering along rows; pure.

Four neighbouring outputs of a row need 20 products for each kernel row. By interpolation they need eight: F(4, 5). At
stride 2 the even and the odd columns are kernels of three and two taps at stride 1, and need six each: F(4, 3). Kernel
rows and channels are added up between the transforms, so what is left is matrix products. Lavin and Gray,
arXiv:1509.09308; Winograd, Arithmetic Complexity of Computations (1980).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OUTPUTS = 4
"""Neighbouring outputs of a row that are computed together."""

TAPS = 5
"""Rows and columns of the kernel."""

_POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)
"""And infinity."""


@dataclass(frozen=True, slots=True)
class Transform:
    """back @ ((kernel @ g) * (source @ x)) correlates g [taps] with x [taps + 3]; float64.

    With p = taps + 3 points `source` is [p, p], `kernel` [p, taps], `back` [4, p].
    """

    source: NDArray[np.float64]
    kernel: NDArray[np.float64]
    back: NDArray[np.float64]


def transform(taps: int) -> Transform:
    """The matrices by Toom and Cook: values at the points, products there, interpolation; transposed."""
    count = taps + OUTPUTS - 1
    points = np.array(_POINTS[: count - 1])
    powers = np.vander(points, count, increasing=True)
    source = np.zeros((count, count))
    scale = np.ones(count)
    source[-1] = np.poly(points)[::-1]
    for index, point in enumerate(points):
        others = np.delete(points, index)
        source[index, :-1] = np.poly(others)[::-1]
        scale[index] = np.prod(point - others)
    kernel = np.vstack((powers[:, :taps], np.eye(taps)[-1])) / scale[:, None]
    back = np.vstack((powers[:, :OUTPUTS], np.eye(OUTPUTS)[-1])).T
    return Transform(source, kernel, back)


@dataclass(frozen=True, slots=True)
class WinogradLayer:
    """A 5x5 convolution and ReLU: stride 1 with padding 2, or stride 2 without.

    float32 `bias` [out]; `weights` [points, blocks, sources, 5, tile_rows]: for each point the transformed kernels,
    blocks of `tile_rows` outputs together, zeros where there are no more. Sources are the inputs, at stride 2 those of
    the even columns and then those of the odd ones.
    """

    stride: int
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    @classmethod
    def of(cls, weights: NDArray[np.float32], bias: NDArray[np.float32], stride: int, tile_rows: int) -> WinogradLayer:
        """From plain weights [out, in, 5, 5]."""
        outputs, _, rows, taps = weights.shape
        blocks = -(-outputs // tile_rows)
        if stride == 2:
            odd = np.concatenate((weights[..., 1::2], np.zeros_like(weights[..., :1])), axis=3)
            weights, taps = np.concatenate((weights[..., ::2], odd), axis=1), 3
        padded = np.zeros((blocks * tile_rows, *weights.shape[1:]))
        padded[:outputs] = weights
        points = np.einsum("kj,oirj->koir", transform(taps).kernel, padded)
        tiles = points.reshape(-1, blocks, tile_rows, weights.shape[1], rows).transpose(0, 1, 3, 4, 2)
        return cls(stride, np.ascontiguousarray(tiles, np.float32), np.ascontiguousarray(bias, np.float32))

    @property
    def outputs(self) -> int:
        """Channels that come out."""
        return len(self.bias)
