"""Boxes that training cannot teach a network to find, wherever a crop is taken: known before it begins."""

from __future__ import annotations

import math
from collections.abc import Sequence

from faced_models.boxes import Rectangle
from faced_train.training.mmod.cropper import Cropper
from faced_train.training.mmod.geometry import Grid, Target, UnreachableError, iou

_MAY_SHARE = 0.5


def out_of_reach(targets: Sequence[Target], grid: Grid, cropper: Cropper, match_iou: float) -> list[tuple[int, str]]:
    """Of one picture's targets: those that no output can find in any crop, or for which another is found; and why."""
    found = []
    for index, target in enumerate(targets):
        if target.ignored:
            continue
        scale = _scale(target, grid, cropper)
        try:
            place = _place(target, target, scale, grid, match_iou)
        except UnreachableError as error:
            found.append((index, str(error)))
            continue
        for other in targets[:index]:
            if other.ignored or other.label != target.label or iou(other.box, target.box) <= _MAY_SHARE:
                continue
            try:
                shared = _place(other, target, scale, grid, match_iou) == place
            except UnreachableError:
                continue
            if shared:
                found.append((index, "another box lies on the same place of the network's grid"))
                break
    return found


def _scale(target: Target, grid: Grid, cropper: Cropper) -> float:
    """The one at which a box is most like its window, or the least at which a crop has to have it found."""
    width, height = _size(target.box)
    window = grid.window(target)
    alike = math.sqrt(window.width * window.height / (width * height))
    return max(alike, cropper.long_px / max(width, height), cropper.short_px / min(width, height))


def _place(target: Target, around: Target, scale: float, grid: Grid, match_iou: float) -> int:
    """Where a target is found in a crop at `scale` with `around` in its middle."""
    width, height = (scale * length for length in _size(target.box))
    if max(width, height) > min(grid.size):
        small, large = sorted(_size(target.box))
        raise UnreachableError(
            f"{large} px long and {small} px short: at a size that is learnt it is larger than a crop of "
            f"{min(grid.size)} px"
        )
    x, y = (
        scale * (own - middle) + side / 2
        for own, middle, side in zip(_centre(target.box), _centre(around.box), grid.size, strict=True)
    )
    left, top = round(x - width / 2), round(y - height / 2)
    box = Rectangle(left, top, left + round(width) - 1, top + round(height) - 1)
    return grid.place(Target(box, target.label), match_iou)


def _size(box: Rectangle) -> tuple[int, int]:
    return box.right - box.left + 1, box.bottom - box.top + 1


def _centre(box: Rectangle) -> tuple[float, float]:
    return (box.left + box.right + 1) / 2, (box.top + box.bottom + 1) / 2
