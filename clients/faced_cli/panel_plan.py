"""Which faces get which panel, and where: the fullest form with which all of them can be seen. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter

from faced_cli.drawing_style import PanelMode
from faced_cli.lettering import Lettering
from faced_cli.palette import Colour
from faced_cli.panel import PanelLayout, lay_out, panel_lines
from faced_cli.placement import Rect, free_corner, free_place, least_bad_place, nearest_place
from faced_proto.types import FaceAnalysis

_FORMS = ((99, 1.3), (99, 1.2), (3, 1.3), (1, 1.3))
"""Kinds of panel from the roomiest to the smallest: how many bars a group may have, and the pitch of its lines."""
_REACH = 10
"""How far from its face a panel may stand, in heights of letters."""
_LOYALTY = 1.5
"""How many times larger another face must be to be the largest in place of an older track."""


@dataclass(frozen=True, slots=True)
class PanelWish:
    """A face that would like a panel: its box in whole pixels and its colour."""

    face: FaceAnalysis
    box: Rect
    accent: Colour


@dataclass(frozen=True, slots=True)
class PanelSpace:
    """The picture, what in it must stay free, and the height of letters, all in pixels."""

    picture: Rect
    taken: Sequence[Rect]
    size: int


@dataclass(frozen=True, slots=True)
class PlacedPanel:
    """A panel, where it goes, and whose it is."""

    wish: PanelWish
    layout: PanelLayout
    place: Rect


def plan_panels(
    wishes: Sequence[PanelWish], mode: PanelMode, space: PanelSpace, letters: Lettering
) -> list[PlacedPanel]:
    """The panels of `mode`, the largest face's first."""
    if mode is PanelMode.NONE or not wishes:
        return []
    if mode is PanelMode.LARGEST:
        panel = _Planner(space, letters).one(_largest(wishes))
        return [] if panel is None else [panel]
    return _of_each(sorted(wishes, key=lambda wish: -wish.box.area), space, letters)


def _of_each(wishes: Sequence[PanelWish], space: PanelSpace, letters: Lettering) -> list[PlacedPanel]:
    """The fullest form with which every face gets one; else what the larger faces leave room for."""
    reach = _REACH * space.size
    for form, how_far in (*((form, 0) for form in _FORMS), (_FORMS[-1], reach)):
        panels = _Planner(space, letters).several(wishes, form, how_far)
        if len(panels) == len(wishes):
            return panels
    if panels:
        return panels
    alone = _Planner(space, letters).one(wishes[0])
    return [] if alone is None else [alone]


def _largest(wishes: Sequence[PanelWish]) -> PanelWish:
    # Faces that are about equal must not take turns from frame to frame: the older track keeps the panel.
    largest = max(wishes, key=lambda wish: wish.box.area)
    near = [(wish.face.track_id, wish) for wish in wishes if wish.box.area * _LOYALTY >= largest.box.area]
    tracked = [(track_id, wish) for track_id, wish in near if track_id is not None]
    return min(tracked, key=itemgetter(0), default=(0, largest))[1]


class _Planner:
    """Places panels one after the other; each takes its room from those that come later."""

    def __init__(self, space: PanelSpace, letters: Lettering) -> None:
        self._space = space
        self._letters = letters
        self._obstacles = list(space.taken)

    def several(self, wishes: Sequence[PanelWish], form: tuple[int, float], reach: int) -> list[PlacedPanel]:
        """A panel beside each face that has room there, then for the others up to `reach` pixels from them."""
        layouts = {id(wish): self._layout(wish, form) for wish in wishes}
        panels = []
        for find in (self._beside, partial(self._near, reach=reach)) if reach else (self._beside,):
            for wish in [wish for wish in wishes if id(wish) in layouts]:
                place = find(wish, layouts[id(wish)])
                if place is not None:
                    panels.append(self._taken(PlacedPanel(wish, layouts.pop(id(wish)), place)))
        return panels

    def one(self, wish: PanelWish) -> PlacedPanel | None:
        """The fullest form that finds room; else the smallest where it covers least; None = it does not fit."""
        for form in _FORMS:
            layout = self._layout(wish, form)
            size = (layout.width, layout.height)
            corner = free_corner(self._space.picture, wish.box, size, self._obstacles)
            place = self._beside(wish, layout) or corner
            if place is not None:
                return self._taken(PlacedPanel(wish, layout, place))
        smallest = self._layout(wish, _FORMS[-1])
        size, gap = (smallest.width, smallest.height), self._space.size // 2
        place = least_bad_place(self._space.picture, wish.box, size, self._obstacles, gap)
        return None if place is None else self._taken(PlacedPanel(wish, smallest, place))

    def _layout(self, wish: PanelWish, form: tuple[int, float]) -> PanelLayout:
        most_bars, pitch = form
        return lay_out(panel_lines(wish.face, most_bars), self._space.size, pitch, self._letters)

    def _beside(self, wish: PanelWish, layout: PanelLayout) -> Rect | None:
        size, gap = (layout.width, layout.height), self._space.size // 2
        return free_place(self._space.picture, wish.box, size, self._obstacles, gap)

    def _near(self, wish: PanelWish, layout: PanelLayout, reach: int) -> Rect | None:
        return nearest_place(self._space.picture, wish.box, (layout.width, layout.height), self._obstacles, reach)

    def _taken(self, panel: PlacedPanel) -> PlacedPanel:
        self._obstacles.append(panel.place.grown(self._space.size // 4))
        return panel
