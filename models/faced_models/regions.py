"""Where to look for faces that were found in the frame before, and their boxes in the frame again; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from faced_models.boxes import Overlap, Rectangle, suppress
from faced_models.pyramid import MIN_SIDE_PX, RATIO, Tile, level_sizes, tile, upsampled_size
from faced_models.scale import ScanPlan
from faced_proto.types import Box, Detection

_MARGIN_PX = 40
"""Pixels of its level beyond a face on each side. MMOD's network sees 54 beyond its window, more than 40 finds no more;
the small network that `faced train detector` makes sees 38.
"""

_FINER_LEVELS = 1
"""A face may have become smaller by so many steps of size; larger ones are found at every step."""

_GRID_PX = 16
_MERGED_GRID_PX = 32
"""Sides of regions are multiples of these, so that regions of one size come again and share layouts."""

_MOST_FACES = 32
"""More than these are scanned for in full: planning regions costs time too."""

_PADDING, _OUTER_PADDING, _STRIDE = 10, 11, 8

_SAME_FACE = Overlap(iou=0.338, covered=1.0)
"""MMOD's own suppression, for what two regions both saw."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the frame, in whole pixels, and how detection scales it."""

    left: int
    top: int
    width: int
    height: int
    plan: ScanPlan

    @property
    def right(self) -> int:
        """The first column behind it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row behind it."""
        return self.top + self.height

    @property
    def cost(self) -> float:
        """Pixels of its finest searched level, up to the factor that all regions of a frame share."""
        return self.width * self.height * RATIO ** (2 * self.plan.skip_levels)

    def to_frame(self, detection: Detection) -> Detection:
        """A face found in the region, in pixels of the frame."""
        box = detection.box
        x, y = self.left, self.top
        return Detection(
            Box(box.left + x, box.top + y, box.right + x, box.bottom + y), detection.score, detection.label
        )


def plan_regions(faces: Sequence[Detection], width: int, height: int, plan: ScanPlan) -> tuple[Region, ...] | None:
    """Regions of a frame of `width` x `height` pixels around faces of the frame before, at the scale of `plan`.

    Each covers its face with the network's field of view around it, from one step of size smaller upwards. None where
    a full scan costs no more, or the faces are too many.
    """
    if len(faces) > _MOST_FACES:
        return None
    frame = _Frame(width, height, plan)
    regions = frame.merged([frame.around(face.box) for face in faces])
    whole = Region(0, 0, width, height, plan)
    return None if sum(region.cost for region in regions) >= whole.cost else tuple(regions)


def follow(
    faces: Sequence[Detection], regions: Sequence[Region], found: Sequence[Sequence[Detection]]
) -> tuple[Detection, ...] | None:
    """Where the known faces are now, highest score first; `found` are the detections in each region.

    What overlaps no known face is left out: new faces are for full scans. None if a known face was not found.
    """
    seen = [region.to_frame(face) for region, part in zip(regions, found, strict=True) for face in part]
    seen.sort(key=lambda face: -face.score)
    rectangles = [_rectangle(face.box) for face in seen]
    seen = [seen[i] for i in suppress(rectangles, _SAME_FACE)]
    pairs = [(_shared(old.box, new.box), i, j) for i, old in enumerate(faces) for j, new in enumerate(seen)]
    now: dict[int, int] = {}
    for shared, i, j in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if shared > 0 and i not in now and j not in now.values():
            now[i] = j
    return tuple(seen[j] for j in sorted(now.values())) if len(now) == len(faces) else None


@dataclass(frozen=True, slots=True)
class _Frame:
    """The frame's size in pixels, and how it is scanned in full."""

    width: int
    height: int
    plan: ScanPlan

    def region(self, left: int, top: int, right: int, bottom: int, skip: int) -> Region:
        """These pixels as far as they are in the frame, searched from level `skip` on."""
        left, top = max(0, left), max(0, top)
        width, height = min(self.width, right) - left, min(self.height, bottom) - top
        plan = self.plan
        sizes = level_sizes(*_scaled(width, height, plan))
        while skip > plan.skip_levels and (skip >= len(sizes) or min(sizes[skip]) < MIN_SIDE_PX):
            skip -= 1
        smallest = plan.window_px / plan.applied_scale / RATIO**skip
        return Region(
            left, top, width, height, ScanPlan(plan.upsample_times, plan.shrink, skip, plan.applied_scale, smallest)
        )

    def around(self, box: Box) -> Region:
        """The region in which the face of `box` is looked for."""
        plan = self.plan
        steps = math.log(max(box.width, box.height, 1.0) * plan.applied_scale / plan.window_px, 1 / RATIO)
        level = max(round(steps), plan.skip_levels)
        skip = max(level - _FINER_LEVELS, plan.skip_levels)
        # A pixel of the face's level, and the sides, in pixels of the frame.
        pixel = 1 / plan.applied_scale / RATIO**level
        side = _ceil((plan.window_px + 2 * _MARGIN_PX) * pixel, _GRID_PX)
        # The detector's grid has a step of 8 px in each tile. Where the region's grid falls onto the frame's, the boxes
        # are, up to a pixel, the frame's.
        ours = _tile_of(level, skip, _scaled(side, side, plan))
        theirs = _tile_of(level, plan.skip_levels, _scaled(self.width, self.height, plan))
        centre_x = min(max((box.left + box.right) / 2, 0.0), self.width)
        centre_y = min(max((box.top + box.bottom) / 2, 0.0), self.height)
        left = _on_grid(centre_x - side / 2, ours.left - theirs.left, pixel)
        top = _on_grid(centre_y - side / 2, ours.top - theirs.top, pixel)
        return self.region(left, top, left + side, top + side, skip)

    def union(self, a: Region, b: Region) -> Region:
        """Both in one, grown a little so that sizes come again."""
        left, top = min(a.left, b.left), min(a.top, b.top)
        right = left + _ceil(max(a.right, b.right) - left, _MERGED_GRID_PX)
        bottom = top + _ceil(max(a.bottom, b.bottom) - top, _MERGED_GRID_PX)
        return self.region(left, top, right, bottom, min(a.plan.skip_levels, b.plan.skip_levels))

    def merged(self, regions: Sequence[Region]) -> list[Region]:
        """Two regions become one wherever that is no dearer."""
        rest: list[Region] = []
        for region in regions:
            while (partner := next((other for other in rest if self._cheaper(region, other)), None)) is not None:
                rest.remove(partner)
                region = self.union(region, partner)
            rest.append(region)
        return rest

    def _cheaper(self, a: Region, b: Region) -> bool:
        return self.union(a, b).cost <= a.cost + b.cost


def _tile_of(level: int, skip: int, size: tuple[int, int]) -> Tile:
    """Where `level` lies in the tiled pyramid of a picture whose finest `skip` levels are left out."""
    tiles = tile(*level_sizes(*size)[skip], _PADDING, _OUTER_PADDING).tiles
    return tiles[min(level - skip, len(tiles) - 1)]


def _on_grid(wanted: float, phase: int, pixel: float) -> int:
    """The place nearest to `wanted` that is `phase` and whole strides away from 0; `pixel` is one of the level."""
    return round((phase + _STRIDE * round((wanted / pixel - phase) / _STRIDE)) * pixel)


def _scaled(width: int, height: int, plan: ScanPlan) -> tuple[int, int]:
    if plan.shrink < 1.0:
        return max(1, int(width * plan.shrink)), max(1, int(height * plan.shrink))
    return upsampled_size(width, height, plan.upsample_times)


def _ceil(length: float, grid: int) -> int:
    return math.ceil(length / grid) * grid


def _rectangle(box: Box) -> Rectangle:
    return Rectangle.rounded(box.left, box.top, box.right - 1, box.bottom - 1)


def _shared(a: Box, b: Box) -> float:
    """Intersection over union."""
    across = min(a.right, b.right) - max(a.left, b.left)
    down = min(a.bottom, b.bottom) - max(a.top, b.top)
    if across <= 0 or down <= 0:
        return 0.0
    inner = across * down
    return inner / (a.width * a.height + b.width * b.height - inner)
