"""Faces drawn on a picture: boxes, labels and panels with probability bars. Pure: picture in, new picture out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from faced_cli.lettering import BOLD, Lettering, lettering
from faced_cli.palette import BLACK, FACES, Colour, ink_on
from faced_cli.panel import PanelLayout, lay_out, paint, panel_lines, percent_text
from faced_cli.placement import Rect, free_corner, free_place, least_bad_place
from faced_proto.types import Box, Categories, Distribution, FaceAnalysis, FrameAnalysis, RgbImage

_FORMS = ((99, 1.3), (99, 1.2), (3, 1.3), (1, 1.3))
"""Kinds of panel from the roomiest to the smallest: how many bars a group may have, and the pitch of its lines."""
_SMALLEST_FOR_TEXT = 48
"""Pictures with a shorter side get boxes only."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A face that can be seen: its box in whole pixels, its colour, its label and where that stands."""

    face: FaceAnalysis
    box: Rect
    colour: Colour
    tag: str
    tag_place: Rect


@dataclass(frozen=True, slots=True)
class _Panel:
    drawn: _Drawn
    layout: PanelLayout
    place: Rect


def annotate(image: RgbImage, analysis: FrameAnalysis) -> RgbImage:
    """A copy of `image` (uint8 [h, w, 3] RGB) with its faces drawn on it.

    Raises:
        ValueError: the picture has not the size that was analysed.
    """
    height, width = image.shape[:2]
    if (width, height) != (analysis.width, analysis.height):
        raise ValueError(f"a picture of {width}x{height} px, but {analysis.width}x{analysis.height} px were analysed")
    canvas: RgbImage = np.array(image, dtype=np.uint8, order="C")
    picture = Rect(0, 0, width, height)
    size = letter_size(width, height)
    stroke = max(1, round(size / 7))
    letters = lettering()
    drawn = _drawn(analysis.faces, picture, size, letters)
    for item in reversed(drawn):  # the best score is drawn last and lies on top
        _draw_box(canvas, item.box, item.colour, stroke)
        _draw_landmarks(canvas, item.face, item.colour, stroke)
    if min(width, height) < _SMALLEST_FOR_TEXT:
        return canvas
    for panel in _panels(drawn, picture, size, stroke, letters):
        paint(canvas, panel.layout, panel.place, panel.drawn.colour, letters)
        _draw_link(canvas, panel, stroke)
    for item in reversed(drawn):
        place = item.tag_place
        canvas[place.top : place.bottom, place.left : place.right] = item.colour
        baseline = place.top + round(1.12 * size)
        letters.draw(canvas, item.tag, place.left + size // 3, baseline, size, ink_on(item.colour), BOLD)
    return canvas


def letter_size(width: int, height: int) -> int:
    """Height of letters in pixels for a picture of this size: 9 at 320x240, 12 at 640x480, 25 at 1080p, 45 at 4K."""
    return max(9, round(4 + math.sqrt(width * height) / 70))


def _drawn(faces: Sequence[FaceAnalysis], picture: Rect, size: int, letters: Lettering) -> list[_Drawn]:
    # Faces without a track are coloured from left to right: their scores change places from frame to frame.
    from_left = sorted(faces, key=lambda face: face.detection.box.left + face.detection.box.right)
    result = []
    for face in faces:
        box = _pixel_box(face.detection.box, picture)
        if box.overlap(picture):
            number = from_left.index(face) if face.track_id is None else face.track_id
            tag = _tag_text(face)
            place = _tag_place(box, letters.width(tag, size, BOLD) + 2 * (size // 3), round(1.5 * size), picture)
            result.append(_Drawn(face, box, FACES[number % len(FACES)], tag, place))
    return result


def _panels(drawn: Sequence[_Drawn], picture: Rect, size: int, stroke: int, letters: Lettering) -> list[_Panel]:
    """The fullest panels with which every face gets one; else what the larger faces leave room for."""
    wanting = sorted((item for item in drawn if item.face.attributes), key=lambda item: -item.box.area)
    if not wanting:
        return []
    taken = [item.box.grown(stroke) for item in drawn] + [item.tag_place for item in drawn]
    for form in _FORMS:
        panels = _beside_faces(wanting, (form,), picture, taken, size, letters)
        if len(panels) == len(wanting):
            return panels
    first = _of_largest(wanting[0], picture, taken, size, letters)
    if first is None:
        return []
    taken.append(first.place.grown(size // 4))
    return [first, *_beside_faces(wanting[1:], _FORMS, picture, taken, size, letters)]


def _beside_faces(
    items: Sequence[_Drawn],
    forms: Sequence[tuple[int, float]],
    picture: Rect,
    taken: Sequence[Rect],
    size: int,
    letters: Lettering,
) -> list[_Panel]:
    """A panel in the first form that finds a free place, for each face that has one."""
    obstacles = list(taken)
    panels = []
    for item in items:
        for most_bars, pitch in forms:
            layout = lay_out(panel_lines(item.face, most_bars), size, pitch, letters)
            place = free_place(picture, item.box, (layout.width, layout.height), obstacles, size // 2)
            if place is not None:
                panels.append(_Panel(item, layout, place))
                obstacles.append(place.grown(size // 4))
                break
    return panels


def _of_largest(item: _Drawn, picture: Rect, taken: Sequence[Rect], size: int, letters: Lettering) -> _Panel | None:
    """The largest face's panel: beside it, in a free corner, or, small, where it covers least; None = does not fit."""
    beside = _beside_faces((item,), _FORMS, picture, taken, size, letters)
    if beside:
        return beside[0]
    layouts = [lay_out(panel_lines(item.face, most_bars), size, pitch, letters) for most_bars, pitch in _FORMS]
    for layout in layouts:
        place = free_corner(picture, (layout.width, layout.height), taken)
        if place is not None:
            return _Panel(item, layout, place)
    smallest = layouts[-1]
    place = least_bad_place(picture, item.box, (smallest.width, smallest.height), taken, size // 2)
    return None if place is None else _Panel(item, smallest, place)


def _pixel_box(box: Box, picture: Rect) -> Rect:
    # Far outside is as good as just outside, and keeps OpenCV's integers small.
    def inside(value: float, length: int) -> int:
        return round(min(max(value, -length), 2.0 * length))

    return Rect(
        inside(box.left, picture.right),
        inside(box.top, picture.bottom),
        inside(box.right, picture.right),
        inside(box.bottom, picture.bottom),
    )


def _tag_text(face: FaceAnalysis) -> str:
    number = "" if face.track_id is None else f"#{face.track_id} "
    for outcome in face.attributes:
        if isinstance(outcome, Distribution) and isinstance(outcome.axis, Categories):
            label, probability = outcome.top
            return f"{number}{label} {percent_text(probability)}"
    return f"{number}face {face.detection.score:.2f}"


def _tag_place(box: Rect, width: int, height: int, picture: Rect) -> Rect:
    """On top of the box; in it where the picture ends above; always in the picture as far as it fits."""
    top = box.top - height if box.top - height >= picture.top else max(box.top, picture.top)
    top = max(min(top, picture.bottom - height), picture.top)
    left = max(min(box.left, picture.right - width), picture.left)
    return Rect(left, top, left + width, top + height).intersection(picture)


def _draw_box(canvas: RgbImage, box: Rect, colour: Colour, stroke: int) -> None:
    corner, opposite = (box.left, box.top), (box.right - 1, box.bottom - 1)
    cv2.rectangle(canvas, corner, opposite, BLACK, stroke + 2, cv2.LINE_AA)
    cv2.rectangle(canvas, corner, opposite, colour, stroke, cv2.LINE_AA)


def _draw_landmarks(canvas: RgbImage, face: FaceAnalysis, colour: Colour, stroke: int) -> None:
    shift = 4  # OpenCV takes circles in 1/16 px; its (0, 0) is a pixel's centre, ours is its corner
    limit = 2.0 * max(canvas.shape[:2])
    for point in face.landmarks:
        if abs(point.x) < limit and abs(point.y) < limit:
            centre = (round((point.x - 0.5) * 16), round((point.y - 0.5) * 16))
            cv2.circle(canvas, centre, round(16 * (0.8 * stroke + 1)), BLACK, cv2.FILLED, cv2.LINE_AA, shift)
            cv2.circle(canvas, centre, round(16 * 0.8 * stroke), colour, cv2.FILLED, cv2.LINE_AA, shift)


def _draw_link(canvas: RgbImage, panel: _Panel, stroke: int) -> None:
    """A line from a panel that stands away from its face to that face."""
    box, place = panel.drawn.box, panel.place
    start = _nearest(place, (box.left + box.right) // 2, (box.top + box.bottom) // 2)
    end = _nearest(box, *start)
    if max(abs(start[0] - end[0]), abs(start[1] - end[1])) > 2 * panel.layout.size:
        cv2.line(canvas, start, end, panel.drawn.colour, stroke, cv2.LINE_AA)


def _nearest(rect: Rect, x: int, y: int) -> tuple[int, int]:
    return min(max(x, rect.left), rect.right - 1), min(max(y, rect.top), rect.bottom - 1)
