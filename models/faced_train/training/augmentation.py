"""Pictures drawn anew for every epoch, a batch at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from faced_models.chips import chip_to_picture
from faced_models.placement import blend_to_picture, eyes_to_picture
from faced_proto.types import Box
from faced_train.training.placing import Placements
from faced_train.training.recipe import AugmentPlan

_HALF_PIXEL = np.float32(0.5)
_EYE = 0.325


@dataclass(frozen=True, slots=True)
class Squares:
    """Where the server's crops lie in their pictures, float32 [n, 4] each: centre x and y and side, as shares of the
    picture's side, and roll in radians; without a margin. `found` bool [n]: whether the detector found the face.
    """

    blends: Tensor
    chips: Tensor
    eyes: Tensor
    found: Tensor


def squares_of(placements: Placements, side: int) -> Squares:
    """For pictures that are kept at `side` x `side` px. `eyes` have the left eye at 0.325 of the side."""
    blends, chips, eyes = (np.zeros((len(placements.boxes), 4), np.float32) for _ in range(3))
    found = placements.found
    for i in np.flatnonzero(found):
        left, top, right, bottom = (float(value) * side for value in placements.boxes[i])
        points = placements.landmarks[i] * np.float32(side) - _HALF_PIXEL
        blends[i] = _square(blend_to_picture(Box(left, top, right, bottom), points, 100, 0.0), 100, side)
        # A large chip: the scale of a small one is a pixel's worth off.
        chips[i] = _square(chip_to_picture(points, 1000, 0.0), 1000, side)
        eyes[i] = _square(eyes_to_picture(points, 100, _EYE), 100, side)
    return Squares(*(torch.from_numpy(one) for one in (blends, chips, eyes, found)))


def _square(matrix: NDArray[np.float64], size: int, side: int) -> tuple[float, float, float, float]:
    x, y = matrix @ (size / 2 - 0.5, size / 2 - 0.5, 1.0) + 0.5
    length = math.hypot(matrix[0, 0], matrix[1, 0]) * size
    return x / side, y / side, length / side, math.atan2(matrix[1, 0], matrix[0, 0])


class Augmentation:
    """Crops of pictures [n, c, h, w] uint8 as float32 [n, c, side, side], 0 to 1."""

    def __init__(self, plan: AugmentPlan, squares: Squares | None) -> None:
        self._plan = plan
        self._squares = squares

    def __call__(self, pictures: Tensor, rows: Tensor, side: int, random: torch.Generator) -> Tensor:
        """Of `rows` of all pictures."""
        chosen = pictures[rows].float() / 255
        grid = functional.affine_grid(
            self._transforms(rows, random), [len(rows), chosen.shape[1], side, side], align_corners=False
        )
        crops = functional.grid_sample(chosen, grid, mode="bilinear", padding_mode="border", align_corners=False)
        return self._spoiled(crops, random)

    def _transforms(self, rows: Tensor, random: torch.Generator) -> Tensor:
        """[n, 2, 3], as `affine_grid` takes them: -1 to 1 of the crop to -1 to 1 of the picture."""
        plan, n = self._plan, len(rows)
        x, y, length, roll = self._bases(rows, random).unbind(1)
        roll = roll + math.radians(plan.turn) * _spread(n, random)
        x = x + plan.shift * length * _spread(n, random)
        y = y + plan.shift * length * _spread(n, random)
        length = length * torch.exp(math.log1p(plan.zoom) * _spread(n, random))
        squeeze = torch.exp(math.log1p(plan.squeeze) * _spread(n, random))
        across, down = length * squeeze, length / squeeze
        if plan.flip:
            across = across * torch.where(torch.rand(n, generator=random) < 0.5, -1.0, 1.0)
        cos, sin = torch.cos(roll), torch.sin(roll)
        first = torch.stack((cos * across, -sin * down, 2 * x - 1), 1)
        second = torch.stack((sin * across, cos * down, 2 * y - 1), 1)
        return torch.stack((first, second), 1)

    def _bases(self, rows: Tensor, random: torch.Generator) -> Tensor:
        plan, n = self._plan, len(rows)
        bases = torch.tensor((0.5, 0.5, 1.0, 0.0)).repeat(n, 1)
        if self._squares is None or not plan.served:
            return bases
        served = (torch.rand(n, generator=random) < plan.served) & self._squares.found[rows]
        kind = torch.rand(n, generator=random)
        is_chip, is_eyes = kind < plan.chip, kind >= 1 - plan.eyes
        placed = torch.where(is_chip[:, None], self._squares.chips[rows], self._squares.blends[rows])
        placed = torch.where(is_eyes[:, None], self._squares.eyes[rows], placed)
        low, high = plan.padding
        margin = 1 + 2 * (low + (high - low) * torch.rand(n, generator=random))
        # FaceAligner has no margin: where the eyes come to lie says how much is around them.
        length = placed[:, 2] * torch.where(is_eyes, 1.0, margin)
        placed = torch.stack((placed[:, 0], placed[:, 1], length, placed[:, 3]), 1)
        return torch.where(served[:, None], placed, bases)

    def _spoiled(self, crops: Tensor, random: torch.Generator) -> Tensor:
        plan, n = self._plan, len(crops)
        if plan.gamma:
            exponents = torch.exp(math.log1p(plan.gamma) * _spread(n, random))
            crops = crops.clamp_min(1e-4) ** exponents[:, None, None, None]
        if plan.blur:
            crops = _blurred(crops, plan.blur * torch.rand(n, generator=random))
        if plan.noise:
            level = plan.noise / 255 * torch.rand(n, 1, 1, 1, generator=random)
            crops = crops + level * torch.randn(crops.shape, generator=random)
        if plan.erase:
            crops = _erased(crops, plan.erase, random)
        return crops


def _spread(n: int, random: torch.Generator) -> Tensor:
    """[n], even in -1 to 1."""
    return 2 * torch.rand(n, generator=random) - 1


def _blurred(crops: Tensor, sigma: Tensor) -> Tensor:
    """Each by a Gaussian of its own, of two taps either way."""
    offsets = torch.arange(-2, 3, dtype=torch.float32)
    taps = torch.exp(-0.5 * (offsets / sigma[:, None].clamp_min(0.05)) ** 2)
    taps = taps / taps.sum(1, keepdim=True)
    height, width = crops.shape[2:]
    padded = functional.pad(crops, (0, 0, 2, 2), mode="replicate")
    crops = sum(taps[:, i, None, None, None] * padded[:, :, i : i + height] for i in range(5))
    padded = functional.pad(crops, (2, 2, 0, 0), mode="replicate")
    blurred: Tensor = sum(taps[:, i, None, None, None] * padded[..., i : i + width] for i in range(5))
    return blurred


def _erased(crops: Tensor, share: float, random: torch.Generator) -> Tensor:
    """A rectangle of a random grey in a share of the pictures (Zhong et al., AAAI 2020)."""
    n, _, height, width = crops.shape
    h, w = (side * (0.15 + 0.3 * torch.rand(n, generator=random)) for side in (height, width))
    top, left = torch.rand(n, generator=random) * (height - h), torch.rand(n, generator=random) * (width - w)
    rows, columns = torch.arange(height), torch.arange(width)
    inside_rows = (rows >= top[:, None]) & (rows < (top + h)[:, None])
    inside_columns = (columns >= left[:, None]) & (columns < (left + w)[:, None])
    chosen = torch.rand(n, generator=random) < share
    mask = (inside_rows[:, :, None] & inside_columns[:, None, :] & chosen[:, None, None])[:, None]
    return torch.where(mask, torch.rand(n, 1, 1, 1, generator=random), crops)
