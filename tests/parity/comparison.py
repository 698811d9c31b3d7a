"""What "dlib's boxes" means: the same number of boxes, corners within a pixel, scores within 1e-4."""

from __future__ import annotations

from collections.abc import Sequence

from faced_proto.types import Box, Detection

CORNERS_PX = 1.0
SCORES = 1e-4


def assert_same(found: Sequence[Detection], expected: Sequence[Sequence[float]], name: str) -> tuple[float, float]:
    """Compare boxes pairwise (rows of left, top, right, bottom, score); returns the largest differences."""
    assert len(found) == len(expected), f"{name}: {len(found)} boxes, dlib has {len(expected)}"
    rest = list(expected)
    corner = score = 0.0
    for face in found:
        row = min(rest, key=lambda row: _distance(face.box, row))
        rest.remove(row)
        corner, score = max(corner, _distance(face.box, row)), max(score, abs(face.score - row[4]))
    assert corner <= CORNERS_PX, f"{name}: a corner is {corner} px from dlib's"
    assert score <= SCORES, f"{name}: a score is {score} from dlib's"
    return corner, score


def _distance(box: Box, row: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip((box.left, box.top, box.right, box.bottom), row[:4], strict=True))
