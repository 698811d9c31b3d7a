"""Faces drawn on a picture: boxes, labels and panels with probability bars. Pure: picture in, new picture out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from faced_cli.blur import blur_all, blur_faces
from faced_cli.drawing_style import DEFAULT_STYLE, Blur, DrawingStyle
from faced_cli.lettering import BOLD, Lettering, lettering
from faced_cli.palette import BLACK, FACES, Colour, ink_on
from faced_cli.panel import paint, percent_text
from faced_cli.panel_plan import PanelSpace, PanelWish, PlacedPanel, plan_panels
from faced_cli.placement import Rect
from faced_proto.types import (
    Box,
    Categories,
    Distribution,
    FaceAnalysis,
    FrameAnalysis,
    FrameDropped,
    FrameFailure,
    RgbImage,
)

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


def annotate_outcome(
    image: RgbImage,
    result: FrameAnalysis | FrameFailure | FrameDropped | None,
    style: DrawingStyle,
    also_hidden: Sequence[Box] = (),
) -> RgbImage:
    """As `annotate`; without an analysis nobody knows where faces are: the picture itself, or all of it blurred."""
    if isinstance(result, FrameAnalysis):
        return annotate(image, result, style, also_hidden)
    return image if style.blur is Blur.NONE else concealed(image, Blur.ALL, ())


def annotate(
    image: RgbImage,
    analysis: FrameAnalysis,
    style: DrawingStyle = DEFAULT_STYLE,
    also_hidden: Sequence[Box] = (),
) -> RgbImage:
    """A copy of `image` (uint8 [h, w, 3] RGB) with its faces drawn on it.

    Where faces are blurred, what lies in `also_hidden` is too.

    Raises:
        ValueError: the picture has not the size that was analysed.
    """
    height, width = image.shape[:2]
    if (width, height) != (analysis.width, analysis.height):
        raise ValueError(f"a picture of {width}x{height} px, but {analysis.width}x{analysis.height} px were analysed")
    canvas = concealed(image, style.blur, [*(face.detection.box for face in analysis.faces), *also_hidden])
    picture = Rect(0, 0, width, height)
    size = letter_size(width, height)
    stroke = max(1, round(size / 7))
    letters = lettering()
    drawn = _drawn(analysis.faces, picture, size, letters)
    for item in reversed(drawn):  # the best score is drawn last and lies on top
        _draw_box(canvas, item.box, item.colour, stroke)
        if style.blur is Blur.NONE:
            _draw_landmarks(canvas, item.face, item.colour, stroke)
    if min(width, height) < _SMALLEST_FOR_TEXT:
        return canvas
    wanting = [PanelWish(item.face, item.box, item.colour) for item in drawn if item.face.attributes]
    taken = [item.box.grown(stroke) for item in drawn] + [item.tag_place for item in drawn]
    for panel in plan_panels(wanting, style.panel, PanelSpace(picture, taken, size), letters):
        paint(canvas, panel.layout, panel.place, panel.wish.accent, letters)
        _draw_link(canvas, panel, stroke)
    for item in reversed(drawn):
        place = item.tag_place
        canvas[place.top : place.bottom, place.left : place.right] = item.colour
        baseline = place.top + round(1.12 * size)
        letters.draw(canvas, item.tag, place.left + size // 3, baseline, size, ink_on(item.colour), BOLD)
    return canvas


def concealed(image: RgbImage, blur: Blur, boxes: Sequence[Box]) -> RgbImage:
    """A copy of `image` (uint8 [h, w, 3] RGB) in which nobody at `boxes`, or nobody at all, can be recognised."""
    canvas: RgbImage = np.array(image, dtype=np.uint8, order="C")
    match blur:
        case Blur.FACES:
            blur_faces(canvas, boxes)
        case Blur.ALL:
            blur_all(canvas, boxes)
        case Blur.NONE:
            pass
    return canvas


def letter_size(width: int, height: int) -> int:
    """Height of letters in pixels for a picture of this size: 9 at 320x240, 12 at 640x480, 25 at 1080p, 45 at 4K."""
    return max(9, round(4 + math.sqrt(width * height) / 70))


def _drawn(faces: Sequence[FaceAnalysis], picture: Rect, size: int, letters: Lettering) -> list[_Drawn]:
    # Faces without a track are coloured from left to right: their scores change places from frame to frame.
    from_left = sorted(faces, key=lambda face: face.detection.box.left + face.detection.box.right)
    result: list[_Drawn] = []
    tags: list[Rect] = []
    for face in faces:
        box = _pixel_box(face.detection.box, picture)
        if box.overlap(picture):
            number = from_left.index(face) if face.track_id is None else face.track_id
            tag = _tag_text(face)
            place = _tag_place(box, letters.width(tag, size, BOLD) + 2 * (size // 3), round(1.5 * size), picture, tags)
            tags.append(place)
            result.append(_Drawn(face, box, FACES[number % len(FACES)], tag, place))
    return result


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
    return f"{number}{face.detection.label or 'face'} {face.detection.score:.2f}"


def _tag_place(box: Rect, width: int, height: int, picture: Rect, others: Sequence[Rect]) -> Rect:
    """On top of the box, or in it where the picture ends above; below where that hides another tag.

    Always in the picture as far as it fits.
    """
    left = max(min(box.left, picture.right - width), picture.left)
    above = box.top - height if box.top - height >= picture.top else max(box.top, picture.top)
    places = []
    for top in (above, box.bottom, box.top):
        inside = max(min(top, picture.bottom - height), picture.top)
        places.append(Rect(left, inside, left + width, inside + height).intersection(picture))
    return min(places, key=lambda place: sum(place.overlap(other) for other in others))


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


def _draw_link(canvas: RgbImage, panel: PlacedPanel, stroke: int) -> None:
    """A line from a panel that stands away from its face to that face."""
    box, place = panel.wish.box, panel.place
    start = _nearest(place, (box.left + box.right) // 2, (box.top + box.bottom) // 2)
    end = _nearest(box, *start)
    if max(abs(start[0] - end[0]), abs(start[1] - end[1])) > 2 * panel.layout.size:
        cv2.line(canvas, start, end, panel.wish.accent, stroke, cv2.LINE_AA)


def _nearest(rect: Rect, x: int, y: int) -> tuple[int, int]:
    return min(max(x, rect.left), rect.right - 1), min(max(y, rect.top), rect.bottom - 1)
