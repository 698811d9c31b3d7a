"""How large the picture is on which detection runs: dlib's whole doublings within a cap, or a shrink; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from faced_models.pyramid import MIN_SIDE_PX, RATIO, level_sizes, upsampled_size

WINDOW_PX = 80
"""MMOD's detector window: the smallest face at scale 1."""

MAX_UPSAMPLE_TIMES = 8
MAX_MIN_FACE_PX = 10_000


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """How detection scales a picture; hashable, part of a batch's key.

    `shrink` is 1, or below 1 where the picture is larger than the server detects on; `skip_levels` finest pyramid
    levels are left out because the smallest face allows it; `min_detectable_px` is in pixels of the picture as given.
    """

    upsample_times: int
    shrink: float
    skip_levels: int
    applied_scale: float
    min_detectable_px: float

    @property
    def window_px(self) -> int:
        """The longer side of the detector's window."""
        return round(self.min_detectable_px * self.applied_scale * RATIO**self.skip_levels)


def plan_scan(
    width: int,
    height: int,
    *,
    upsample_times: int | None,
    min_face_px: int | None,
    auto_upsample: int,
    max_upscaled_pixels: int,
    max_detect_pixels: int,
    window_px: int = WINDOW_PX,
) -> ScanPlan:
    """The scale for a picture of `width` x `height` pixels, for a detector whose window has sides of `window_px`.

    At most one of `upsample_times` and `min_face_px` is given; neither = `auto_upsample` doublings. A doubling is
    done only while its result has at most `max_upscaled_pixels`, and that cap never shrinks a picture.

    Raises:
        ValueError: an option is out of range, or both are given; names the option and its limits.
    """
    if upsample_times is not None and min_face_px is not None:
        raise ValueError("upsample_times and min_face_px exclude each other: give one of them")
    if upsample_times is not None and not 0 <= upsample_times <= MAX_UPSAMPLE_TIMES:
        raise ValueError(f"upsample_times is {upsample_times}, must be 0 to {MAX_UPSAMPLE_TIMES}")
    if min_face_px is not None and not 1 <= min_face_px <= MAX_MIN_FACE_PX:
        raise ValueError(f"min_face_px is {min_face_px}, must be 1 to {MAX_MIN_FACE_PX}")

    pixels = width * height
    if pixels > max_detect_pixels:
        shrink = math.sqrt(max_detect_pixels / pixels)
        skip = _levels_to_skip(int(width * shrink), int(height * shrink), window_px / shrink, min_face_px)
        return _plan(0, shrink, skip, window_px)

    if min_face_px is not None:
        wanted = math.ceil(math.log2(window_px / min_face_px)) if min_face_px < window_px else 0
    else:
        wanted = auto_upsample if upsample_times is None else upsample_times
    times = 0
    while times < wanted and math.prod(upsampled_size(width, height, times + 1)) <= max_upscaled_pixels:
        times += 1
    skip = _levels_to_skip(*upsampled_size(width, height, times), window_px / 2**times, min_face_px)
    return _plan(times, 1.0, skip, window_px)


def _plan(times: int, shrink: float, skip: int, window_px: int) -> ScanPlan:
    scale = 2.0**times * shrink
    return ScanPlan(times, shrink, skip, scale, window_px / scale / RATIO**skip)


def _levels_to_skip(width: int, height: int, finest_px: float, min_face_px: int | None) -> int:
    """How many of the finest levels see only faces smaller than asked for; at least one level is left."""
    if min_face_px is None:
        return 0
    skip = 0
    for level, size in enumerate(level_sizes(width, height)):
        if min(size) < MIN_SIDE_PX or finest_px / RATIO**level > min_face_px:
            break
        skip = level
    return skip
