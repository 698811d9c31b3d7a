"""Images to dlib's tiled pyramid, as the tensor that the network takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from faced_models.kernels import Kernels
from faced_models.pyramid import Layout, Tile, level_sizes, sample_columns, sample_rows, tile
from faced_models.team import Team
from faced_models.tensor_memory import TensorMemory
from faced_proto.types import RgbImage


@dataclass(frozen=True, slots=True)
class Chain:
    """Levels that are each made from the one before: tiles int64 [levels, 4] (left, top, width, height), and the
    sampling of all levels but the first, one after the other: first samples int64, fractions float32.
    """

    tiles: NDArray[np.int64]
    tops: NDArray[np.int64]
    lows: NDArray[np.float32]
    lefts: NDArray[np.int64]
    rights: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How images of one size are tiled: `skipped` makes the finest level that is kept, in a picture of its own."""

    layout: Layout
    skipped: Chain | None
    kept: Chain


class PyramidBuilder:
    """Fills pyramids, a colour channel at a time, with a team."""

    def __init__(
        self, kernels: Kernels, means: NDArray[np.float32], padding: int, outer_padding: int, team: Team
    ) -> None:
        self._kernels = kernels
        self._means = means
        self._padding, self._outer_padding = padding, outer_padding
        self._team = team
        self._memory = TensorMemory()

    def build(self, images: Sequence[RgbImage], skip_levels: int) -> tuple[NDArray[np.float32], Recipe]:
        """The pyramids float32 [n, 3, H, W] of images of one size, without their `skip_levels` finest levels."""
        height, width, _ = images[0].shape
        recipe = _recipe(width, height, skip_levels, self._padding, self._outer_padding)
        shape = (len(images), 3, recipe.layout.height, recipe.layout.width)
        batch = self._memory.take(recipe.layout, shape)
        pairs = zip(images, batch, strict=True)
        planes = [(image, pyramid[channel], channel) for image, pyramid in pairs for channel in range(3)]
        self._team.share(lambda job: self._fill(recipe, *job), planes)
        return batch, recipe

    def give_back(self, batch: NDArray[np.float32], recipe: Recipe) -> None:
        """A tensor that nobody needs any more; the next batch of equal frames is built in it."""
        self._memory.give_back(recipe.layout, batch)

    def _fill(self, recipe: Recipe, image: RgbImage, plane: NDArray[np.float32], channel: int) -> None:
        kept, skipped = recipe.kept, recipe.skipped
        left, top, width, height = kept.tiles[0].tolist()
        if skipped is None:
            self._kernels.normalise(image, channel, self._means[channel], plane, left, top)
        else:
            column = np.empty((int(skipped.tiles[-1, 1]) + height, image.shape[1]), np.float32)
            self._kernels.normalise(image, channel, self._means[channel], column, 0, 0)
            self._downsample(column, skipped)
            plane[top : top + height, left : left + width] = column[-height:, :width]
        self._downsample(plane, kept)

    def _downsample(self, plane: NDArray[np.float32], chain: Chain) -> None:
        self._kernels.downsample(plane, chain.tiles, chain.tops, chain.lows, chain.lefts, chain.rights)


@lru_cache(maxsize=32)
def _recipe(width: int, height: int, skip: int, padding: int, outer_padding: int) -> Recipe:
    sizes = level_sizes(width, height)
    layout = tile(*sizes[skip], padding, outer_padding)
    if skip == 0:
        return Recipe(layout, None, _chain(layout.tiles))
    tops = np.cumsum([0, *(h for _, h in sizes[:skip])]).tolist()
    column = [Tile(0, top, w, h) for top, (w, h) in zip(tops, sizes, strict=False)]
    return Recipe(layout, _chain(column), _chain(layout.tiles))


def _chain(tiles: Sequence[Tile]) -> Chain:
    rows = [sample_rows(a.height, b.height) for a, b in pairwise(tiles)]
    columns = [sample_columns(a.width, b.width) for a, b in pairwise(tiles)]
    return Chain(
        tiles=np.array([(t.left, t.top, t.width, t.height) for t in tiles], np.int64),
        tops=np.concatenate([np.empty(0, np.int64), *(r.first for r in rows)]),
        lows=np.concatenate([np.empty(0), *(r.fraction for r in rows)]).astype(np.float32),
        lefts=np.concatenate([np.empty(0, np.int64), *(c.first for c in columns)]),
        rights=np.concatenate([np.empty(0), *(c.fraction for c in columns)]).astype(np.float32),
    )
