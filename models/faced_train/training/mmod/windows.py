"""Detector windows and suppression chosen from the boxes, as dlib's mmod_options does it."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from faced_models.boxes import Overlap, Rectangle, round_away
from faced_models.network_entry import DetectorWindow
from faced_train.training.mmod.geometry import Target

_COVERS = Overlap(0.75, 1.0)
_SAME_AREA = 400 * 400
_DRAWS = 500


def choose_windows(
    truths: Sequence[Sequence[Target]], target_size: int, least_size: int, known: Sequence[DetectorWindow] = ()
) -> tuple[DetectorWindow, ...]:
    """For each label as many shapes as cover its boxes; the longer side `target_size`, no side below `least_size`.

    Those `known` come first, under the label, where they cover boxes of it.
    """
    found = []
    for label in sorted({one.label for targets in truths for one in targets if not one.ignored}):
        boxes = [one.box for targets in truths for one in targets if not one.ignored and one.label == label]
        for window in known:
            shape = _at_same_area(Rectangle(0, 0, window.width - 1, window.height - 1))
            rest = [box for box in boxes if not _COVERS(_at_same_area(box), shape)]
            if len(rest) < len(boxes):
                found.append(replace(window, label=label))
                boxes = rest
        for ratio in _covering_ratios(boxes):
            width, height = (ratio * target_size, target_size) if ratio < 1 else (target_size, target_size / ratio)
            if min(width, height) < least_size:
                grown = least_size / min(width, height)
                width, height = width * grown, height * grown
            found.append(DetectorWindow(round_away(width), round_away(height), label))
    return tuple(found)


def choose_overlaps(truths: Sequence[Sequence[Target]]) -> Overlap:
    """The tightest suppression that keeps all labelled boxes of a picture, a tenth of the way to 1 looser."""
    covered = around = 0.0
    for a, b in _pairs(truths):
        inner = max(0, min(a.right, b.right) - max(a.left, b.left) + 1) * max(
            0, min(a.bottom, b.bottom) - max(a.top, b.top) + 1
        )
        hull = Rectangle(min(a.left, b.left), min(a.top, b.top), max(a.right, b.right), max(a.bottom, b.bottom))
        around = max(around, inner / hull.area)
        covered = max(covered, inner / min(a.area, b.area))
    return Overlap(*(_toward_1(min(1.0000001 * value, 1.0)) for value in (around, covered)))


def kept_apart(truths: Sequence[Sequence[Target]], overlaps: Overlap) -> bool:
    """Whether a suppression keeps all labelled boxes of a picture."""
    return not any(overlaps(a, b) for a, b in _pairs(truths))


def _pairs(truths: Sequence[Sequence[Target]]) -> Iterator[tuple[Rectangle, Rectangle]]:
    for targets in truths:
        yield from combinations([one.box for one in targets if not one.ignored], 2)


def _toward_1(value: float) -> float:
    return value + (1 - value) * 0.1


def _covering_ratios(boxes: Sequence[Rectangle]) -> list[float]:
    """Width to height of boxes that are, at equal areas, like all others."""
    rest = [_at_same_area(box) for box in boxes]
    chance = random.Random(0)
    found = []
    while rest:
        drawn = rest if len(rest) <= _DRAWS else chance.sample(rest, _DRAWS)
        best = max(drawn, key=lambda one: sum(_COVERS(other, one) for other in rest))
        rest = [one for one in rest if not _COVERS(one, best) and one != best]
        found.append((best.right + 1) / (best.bottom + 1))
    return found


def _at_same_area(box: Rectangle) -> Rectangle:
    scale = math.sqrt(_SAME_AREA / box.area)
    width, height = box.right - box.left + 1, box.bottom - box.top + 1
    return Rectangle(0, 0, round_away(width * scale) - 1, round_away(height * scale) - 1)
