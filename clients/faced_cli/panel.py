"""A face's panel: which lines it holds, how large it is, and how it is painted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faced_cli.lettering import BOLD, REGULAR, Lettering
from faced_cli.palette import BLUISH_GREEN, BRIGHT, ORANGE, PANEL, QUIET, SKY_BLUE, TRACK, YELLOW, Colour
from faced_cli.placement import Rect
from faced_proto.types import (
    AttributeFailure,
    AttributeOutcome,
    Distribution,
    FaceAnalysis,
    IntegerBins,
    Withheld,
    WithheldReason,
)

_OPACITY = 0.78
_BAR_LENGTH = 4.5
_BAR_COLOURS: dict[str, Colour] = {"emotion": ORANGE, "age_group": SKY_BLUE, "age": SKY_BLUE, "gender": BLUISH_GREEN}
_WITHHELD: dict[WithheldReason, str] = {
    WithheldReason.MAY_BE_MINOR: "may be a minor",
    WithheldReason.GUARD_FAILED: "age unknown",
}


@dataclass(frozen=True, slots=True)
class Heading:
    """A line that opens a group: its name, and at its right a value in short."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A line with a label, a bar and a percentage; `best` marks the most probable of its group."""

    label: str
    probability: float
    colour: Colour
    best: bool


@dataclass(frozen=True, slots=True)
class Remark:
    """A line of words."""

    text: str


Line = Heading | Bar | Remark


def panel_lines(face: FaceAnalysis, most_bars: int) -> tuple[Line, ...]:
    """The lines of a face: for each attribute a heading and at most `most_bars` bars, in the axis' order.

    Where the age groups are there, the years stand in their heading and get no bars of their own.
    """
    outcomes = {outcome.attribute: outcome for outcome in face.attributes}
    lines: list[Line] = []
    for attribute, outcome in outcomes.items():
        if attribute == "age" and isinstance(outcome, Distribution) and "age_group" in outcomes:
            continue
        lines += _group(outcome, outcomes.get("age") if attribute == "age_group" else None, most_bars)
    return tuple(lines)


def years_text(age: Distribution) -> str:
    """Expected years and the interval that holds 90 % of the probability, as in 34 (23-47)."""
    low, high = age.interval(0.9)
    return f"{age.expectation():.0f} ({low}\N{EN DASH}{high})"


def percent_text(probability: float) -> str:
    """Whole percent; what would be rounded to a certainty is "<1 %" or ">99 %"."""
    if 0.0 < probability < 0.005:
        return "<1 %"
    if 0.995 <= probability < 0.9995:
        return ">99 %"
    return f"{100 * probability:.0f} %"


def withheld_text(outcome: Withheld) -> str:
    """Why, in a few words."""
    return _WITHHELD[outcome.reason]


def _group(outcome: AttributeOutcome, age: AttributeOutcome | None, most_bars: int) -> list[Line]:
    name = outcome.attribute.replace("_", " ").capitalize()
    if isinstance(outcome, Withheld):
        return [Heading(name, "withheld"), Remark(withheld_text(outcome))]
    if isinstance(outcome, AttributeFailure):
        return [Heading(name, "failed"), Remark(outcome.reason.value.replace("_", " "))]
    if isinstance(outcome.axis, IntegerBins):
        return [Heading(name, years_text(outcome))]
    heading = Heading("Age", years_text(age)) if isinstance(age, Distribution) else Heading(name, "")
    best = outcome.top[0]
    colour = _BAR_COLOURS.get(outcome.attribute, YELLOW)
    ranked = sorted(outcome.as_dict().items(), key=lambda entry: -entry[1])
    kept = {label for label, _ in ranked[:most_bars]}
    bars = [Bar(label, p, colour, label == best) for label, p in outcome.as_dict().items() if label in kept]
    if most_bars == 1:
        return [*([heading] if heading.value else []), *bars]
    return [heading, *bars]


@dataclass(frozen=True)
class PanelLayout:
    """Lines and the pixel measures that hold them: `size` is the height of letters, `row` from one line to the next."""

    lines: tuple[Line, ...]
    size: int
    row: int
    label_width: int
    bar_width: int
    percent_width: int
    width: int
    height: int

    @property
    def padding(self) -> int:
        """Pixels between the border and the text."""
        return max(3, round(0.6 * self.size))


def lay_out(lines: Sequence[Line], size: int, line_pitch: float, letters: Lettering) -> PanelLayout:
    """Measures a panel for letters of `size` pixels and lines `line_pitch` times that apart."""
    bars = [line for line in lines if isinstance(line, Bar)]
    label = max((letters.width(bar.label, size, BOLD) for bar in bars), default=0)
    percent = letters.width(">99 %", size, BOLD) if bars else 0
    gap = max(3, size // 2)
    inner = label + gap + round(_BAR_LENGTH * size) + gap + percent if bars else 0
    for line in lines:
        match line:
            case Heading(name, value):
                inner = max(inner, letters.width(name, size, BOLD) + gap + letters.width(value, size))
            case Remark(text):
                inner = max(inner, letters.width(text, size))
            case Bar():
                pass
    padding = max(3, round(0.6 * size))
    headings = sum(isinstance(line, Heading) for line in lines[1:])
    row = round(line_pitch * size)
    height = 2 * padding + row * len(lines) + headings * (size // 3)
    bar = inner - label - percent - 2 * gap if bars else 0
    return PanelLayout(tuple(lines), size, row, label, bar, percent, inner + 2 * padding, height)


def paint(image: NDArray[np.uint8], layout: PanelLayout, place: Rect, accent: Colour, letters: Lettering) -> None:
    """Paints the panel into `image` (uint8 [h, w, 3] RGB) at `place`, which lies in it, with the face's `accent`."""
    ground = image[place.top : place.bottom, place.left : place.right]
    cv2.addWeighted(ground, 1 - _OPACITY, np.full_like(ground, PANEL), _OPACITY, 0, dst=ground)
    edge = max(1, layout.size // 6)
    image[place.top : place.top + edge, place.left : place.right] = accent
    top = place.top + layout.padding
    for index, line in enumerate(layout.lines):
        if index and isinstance(line, Heading):
            top += layout.size // 3
        _paint_line(image, layout, line, place.left + layout.padding, top, letters)
        top += layout.row


def _paint_line(
    image: NDArray[np.uint8], layout: PanelLayout, line: Line, left: int, top: int, letters: Lettering
) -> None:
    size = layout.size
    baseline = top + (layout.row + round(0.65 * size)) // 2
    right = left + layout.width - 2 * layout.padding
    match line:
        case Heading(name, value):
            letters.draw(image, name, left, baseline, size, BRIGHT, BOLD)
            letters.draw(image, value, right - letters.width(value, size), baseline, size, BRIGHT)
        case Remark(text):
            letters.draw(image, text, left, baseline, size, QUIET)
        case Bar(label, probability, colour, best):
            ink, weight = (BRIGHT, BOLD) if best else (QUIET, REGULAR)
            letters.draw(image, label, left, baseline, size, ink, weight)
            percent = percent_text(probability)
            letters.draw(image, percent, right - letters.width(percent, size, weight), baseline, size, ink, weight)
            _paint_bar(image, layout, probability, colour, left + layout.label_width + max(3, size // 2), baseline)


def _paint_bar(
    image: NDArray[np.uint8], layout: PanelLayout, probability: float, colour: Colour, left: int, baseline: int
) -> None:
    # As high as a small letter and standing on the same line; the last column is mixed.
    height = max(2, round(0.5 * layout.size))
    top = baseline - round(0.6 * layout.size)
    image[top : top + height, left : left + layout.bar_width] = TRACK
    filled = min(max(probability, 0.0), 1.0) * layout.bar_width
    whole = int(filled)
    image[top : top + height, left : left + whole] = colour
    rest = filled - whole
    if rest > 0 and whole < layout.bar_width:
        mixed = tuple(round(rest * c + (1 - rest) * t) for c, t in zip(colour, TRACK, strict=True))
        image[top : top + height, left + whole] = mixed
