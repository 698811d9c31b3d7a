"""How much arithmetic the detector's network is, and how much the CPU can do."""

from __future__ import annotations

import math
from functools import cache

from faced_models.convert.mmod import MmodNetwork, read_mmod
from faced_models.manifest import load_manifest
from faced_models.pyramid import tile, upsampled_size
from faced_models.store import verified_reference
from faced_service.bench.memory import run_apart

_GIGA = 1e9

# numpy multiplies matrices with OpenBLAS or MKL, which read their number of threads when they are loaded.
_PRODUCT = """
import os
for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ[f"{{library}}_NUM_THREADS"] = "{threads}"
import time
import numpy as np
a, b, out = (np.ones(({side}, {side}), np.float32) for _ in range(3))
def seconds():
    start = time.perf_counter()
    np.matmul(a, b, out)
    return time.perf_counter() - start
print(min(seconds() for _ in range({rounds})))
"""


def network_gflop(width: int, height: int, upsample: int) -> float:
    """Of one run over a picture of `width` x `height`, upsampled; the seven convolutions as dlib has them.

    A multiplication and an addition are two operations; biases and ReLUs are not counted, nor is what our graph adds
    (channels of zeros) or saves (the split of the last convolution).
    """
    network = _network()
    layout = tile(*upsampled_size(width, height, upsample), network.pyramid_padding, network.pyramid_outer_padding)
    rows, columns = layout.height, layout.width
    multiplications = 0
    for layer in network.convolutions:
        rows = _outputs(rows, layer.weights.shape[2], layer.stride[0], layer.padding[0])
        columns = _outputs(columns, layer.weights.shape[3], layer.stride[1], layer.padding[1])
        multiplications += rows * columns * math.prod(layer.weights.shape)
    return 2 * multiplications / _GIGA


def peak_gflops(threads: int, side: int = 2048, rounds: int = 10) -> float:
    """GFLOP/s of the best of `rounds` float32 products of two `side` x `side` matrices, on `threads` threads.

    Measured in a process of its own: what the CPU reaches at its best, to compare with.
    """
    (seconds,), _ = run_apart(_PRODUCT.format(threads=threads, side=side, rounds=rounds))
    return 2 * side**3 / float(seconds) / _GIGA


def _outputs(inputs: int, kernel: int, stride: int, padding: int) -> int:
    return (inputs + 2 * padding - kernel) // stride + 1


@cache
def _network() -> MmodNetwork:
    path = verified_reference(load_manifest().detector)
    return read_mmod(path.read_bytes(), path.name)
