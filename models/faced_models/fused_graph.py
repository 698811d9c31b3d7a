"""Writes the whole way from pixels to scores as one ONNX graph, so that frames cross to a GPU as bytes and stay there.

Only operators of operator set 18 for which ONNX Runtime has CUDA kernels since 1.21 (Pad and Resize of later sets ran
on the CPU for years).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from faced_models.convert.onnx_graph import Attribute, OnnxGraph
from faced_models.pyramid import Layout, Tile, level_sizes, overlap, tile

_FLOAT = 1
"""TensorProto.FLOAT."""


@dataclass(frozen=True, slots=True)
class Tiling:
    """What a graph is written for: all levels' sizes (width, height), and where those from `skip` on lie."""

    sizes: tuple[tuple[int, int], ...]
    skip: int
    layout: Layout

    @classmethod
    def of(cls, width: int, height: int, skip: int, padding: int, outer_padding: int) -> Tiling:
        """For images of one size without their `skip` finest levels."""
        return _tiling(width, height, skip, padding, outer_padding)

    @property
    def pixels(self) -> int:
        """Of the tiled picture."""
        return self.layout.width * self.layout.height


@lru_cache(maxsize=64)
def _tiling(width: int, height: int, skip: int, padding: int, outer_padding: int) -> Tiling:
    sizes = level_sizes(width, height)
    layout = tile(*sizes[skip], padding, outer_padding)
    return Tiling(sizes[: skip + len(layout.tiles)], skip, layout)


class FusedGraphs:
    """Writes graphs around one network: input "images" uint8 [N, h, w, 3] RGB, output "scores" [N, 1, H/8, W/8]."""

    def __init__(self, network: bytes, means: NDArray[np.float32]) -> None:
        """`network` is an ONNX model that takes tiled pyramids of (value - mean) / 256."""
        self._network = network
        self._means = means

    def write(self, tiling: Tiling) -> bytes:
        """The graph for images of one size."""
        graph = OnnxGraph("faced-mmod")
        pyramid = _Pyramid(graph, tiling).tiled(self._normalised(graph))
        output = graph.append(self._network, pyramid)
        width, height = tiling.sizes[0]
        return graph.finish("images", ["N", height, width, 3], output, ["N", 1, "h", "w"], bytes_in=True)

    def _normalised(self, graph: OnnxGraph) -> str:
        # Planes are turned while they are bytes: a quarter of the traffic.
        planes = graph.node("Transpose", "planes", ["images"], {"perm": (0, 3, 1, 2)})
        values = graph.node("Cast", "values", [planes], {"to": _FLOAT})
        means = graph.weight("means", self._means.reshape(1, 3, 1, 1))
        centred = graph.node("Sub", "centred", [values, means])
        return graph.node("Mul", "level0", [centred, graph.weight("scale", np.array([1 / 256], np.float32))])


class _Pyramid:
    """The nodes that make levels out of one another and lay them out."""

    def __init__(self, graph: OnnxGraph, tiling: Tiling) -> None:
        self._graph = graph
        self._tiling = tiling
        self._zero = graph.weight("background", np.array(0, np.float32))

    def tiled(self, finest: str) -> str:
        """All tiles in one tensor [N, 3, H, W], zero between them.

        The first column is a stack of levels, each padded to the whole width, so that every pixel is written once. The
        second one, from the bottom up, is a stack of its own, added to the rows that it covers.
        """
        layout = self._tiling.layout
        tiles = list(zip(layout.tiles, self._levels(finest), strict=True))
        margin = layout.tiles[0].left
        first = [part for part in tiles if part[0].left == margin]
        second = tiles[: len(first) - 1 : -1]
        if not second:
            return self._stack("tiled", first, 0, layout.height)
        top = second[0][0].top
        above = [part for part in first if part[0].top + part[0].height <= top]
        beside = first[len(above) :]
        # No tile of the first column is cut in two: where one begins before the second column does, so do the rows.
        split = min(top, beside[0][0].top)
        left = self._stack("left", beside, split, layout.height)
        if any(overlap(a, b) for (a, _), (b, _) in product(beside, second)):
            left = self._graph.node("Mul", "uncovered", [left, self._uncovered([t for t, _ in second], split)])
        right = self._stack("right", second, split, layout.height)
        both = self._graph.node("Add", "both", [left, right])
        if not above:
            return both
        return self._graph.node("Concat", "tiled", [self._stack("above", above, 0, split), both], {"axis": 2})

    def _levels(self, finest: str) -> list[str]:
        """Names of the levels from the first that is kept on."""
        names = [finest]
        for level, (width, height) in enumerate(self._tiling.sizes[1:], start=1):
            size = self._graph.weight(f"size{level}", np.array([height, width], np.int64))
            attributes: dict[str, Attribute] = {
                "axes": (2, 3),
                "coordinate_transformation_mode": "align_corners",
                "mode": "linear",
            }
            names.append(self._graph.node("Resize", f"level{level}", [names[-1], "", "", size], attributes))
        return names[self._tiling.skip :]

    def _stack(self, name: str, parts: Sequence[tuple[Tile, str]], top: int, bottom: int) -> str:
        """Rows `top` to `bottom` of the tiled picture with these tiles, given from the top down."""
        width = self._tiling.layout.width
        rows = []
        for index, (place, source) in enumerate(parts):
            below = bottom - place.top - place.height if index == len(parts) - 1 else 0
            right = width - place.left - place.width
            pads = np.array([0, 0, place.top - top, place.left, 0, 0, below, right], np.int64)
            part = f"{name}.{source}"
            rows.append(self._graph.node("Pad", part, [source, self._graph.weight(f"{part}.pads", pads), self._zero]))
            top = place.top + place.height
        return rows[0] if len(rows) == 1 else self._graph.node("Concat", name, rows, {"axis": 2})

    def _uncovered(self, tiles: Sequence[Tile], split: int) -> str:
        """A mask that is 0 where these tiles lie on others, else 1."""
        layout = self._tiling.layout
        mask = np.ones((1, 1, layout.height - split, layout.width), np.float32)
        for t in tiles:
            mask[:, :, t.top - split : t.top - split + t.height, t.left : t.left + t.width] = 0
        return self._graph.weight("mask", mask)
