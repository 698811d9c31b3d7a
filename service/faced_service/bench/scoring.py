"""How well boxes meet labelled faces: precision, recall, average precision; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from faced_proto.types import Box, Detection
from faced_service.bench.detector import intersection_over_union
from faced_service.bench.imglab import Label

_SAME_FACE_IOU = 0.5
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class Judged:
    """One picture: scores of detections that count, whether each met a face, and how many faces there are."""

    scores: tuple[float, ...]
    hits: tuple[bool, ...]
    faces: int


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Over all pictures: how many faces count; precision and recall above a threshold, average precision over all."""

    faces: int
    precision: float
    recall: float
    ap50: float


def judge(detections: Sequence[Detection], labels: Sequence[Label], min_face_px: float) -> Judged:
    """Each detection, best first, takes the free label that it overlaps most, with an IoU of at least 0.5.

    What either side calls it makes no difference.

    Labels that are ignored, or whose larger side is below `min_face_px`, neither count nor harm: detections that meet
    only them (or lie in an ignored one by half) are left out.
    """
    counted = [label.box for label in labels if not label.ignored and _side(label.box) >= min_face_px]
    small = [label.box for label in labels if not label.ignored and _side(label.box) < min_face_px]
    regions = [label.box for label in labels if label.ignored]
    free = list(counted)
    scores, hits = [], []
    for detection in sorted(detections, key=lambda detection: -detection.score):
        box = detection.box
        partner = max(free, key=lambda face: intersection_over_union(box, face), default=None)
        if partner is not None and intersection_over_union(box, partner) >= _SAME_FACE_IOU:
            free.remove(partner)
            hit = True
        elif _excused(box, small, regions):
            continue
        else:
            hit = False
        scores.append(detection.score)
        hits.append(hit)
    return Judged(tuple(scores), tuple(hits), len(counted))


def accuracy(pictures: Sequence[Judged], threshold: float) -> Accuracy:
    """Average precision is the area under the curve of all scores, precision made monotone; 1 where nothing is wrong.

    Raises:
        ValueError: there is no face to find.
    """
    faces = sum(picture.faces for picture in pictures)
    if not faces:
        raise ValueError("no labelled face is large enough to count")
    scores = np.array([score for picture in pictures for score in picture.scores])
    hits = np.array([hit for picture in pictures for hit in picture.hits], bool)
    above = scores > threshold
    found = int(hits[above].sum())
    order = np.argsort(-scores, kind="stable")
    true = np.cumsum(hits[order])
    precisions = true / np.arange(1, len(order) + 1)
    highest = np.maximum.accumulate(precisions[::-1])[::-1]
    return Accuracy(
        faces=faces,
        precision=found / int(above.sum()) if above.any() else 1.0,
        recall=found / faces,
        ap50=float(highest[hits[order]].sum() / faces),
    )


def _excused(box: Box, small: Sequence[Box], regions: Sequence[Box]) -> bool:
    """Whether it meets what neither counts nor harms."""
    meets = any(intersection_over_union(box, face) >= _SAME_FACE_IOU for face in (*small, *regions))
    return meets or any(_covered(box, region) >= _MOSTLY for region in regions)


def _covered(box: Box, region: Box) -> float:
    """The part of `box` that lies in `region`."""
    width = max(0.0, min(box.right, region.right) - max(box.left, region.left))
    height = max(0.0, min(box.bottom, region.bottom) - max(box.top, region.top))
    return width * height / (box.width * box.height)


def _side(box: Box) -> float:
    return max(box.width, box.height)
