from dataclasses import replace

import pytest

from faced_cli.drawing_style import PanelMode
from faced_cli.lettering import lettering
from faced_cli.palette import FACES
from faced_cli.panel import Bar
from faced_cli.panel_plan import PanelSpace, PanelWish, plan_panels
from faced_cli.placement import Rect

PICTURE = Rect(0, 0, 640, 480)


@pytest.fixture
def plan(face):
    def make(*boxes, mode=PanelMode.EACH, tracks=None):
        tracks = tracks or [None] * len(boxes)
        wishes = [
            PanelWish(replace(face(*box), track_id=track), Rect(*box), FACES[0])
            for box, track in zip(boxes, tracks, strict=True)
        ]
        return plan_panels(wishes, mode, PanelSpace(PICTURE, [wish.box for wish in wishes], 12), lettering())

    return make


def bars(panel) -> int:
    return sum(isinstance(line, Bar) for line in panel.layout.lines)


def test_one_face_gets_the_whole_distributions(plan):
    (panel,) = plan((100, 100, 200, 200))
    assert bars(panel) == 7 + 8


def test_crowded_faces_get_compact_panels_that_hide_nothing(plan):
    boxes = [(40, 60, 100, 120), (200, 60, 260, 120), (420, 60, 480, 120), (100, 260, 160, 320), (420, 260, 480, 320)]
    panels = plan(*boxes)
    assert len(panels) == 5
    assert {bars(panel) for panel in panels} == {2}
    obstacles = [Rect(*box) for box in boxes]
    for panel in panels:
        assert not any(panel.place.overlap(obstacle) for obstacle in obstacles)
        assert panel.place.intersection(PICTURE) == panel.place
        obstacles.append(panel.place)


def test_largest_mode_has_one_panel_and_none_has_none(plan):
    boxes = [(40, 60, 100, 120), (300, 60, 400, 160)]
    (panel,) = plan(*boxes, mode=PanelMode.LARGEST)
    assert panel.wish.box == Rect(*boxes[1])
    assert plan(*boxes, mode=PanelMode.NONE) == []
    assert plan(mode=PanelMode.LARGEST) == []


def test_older_track_keeps_the_panel_until_another_is_much_larger(plan):
    boxes = [(40, 60, 140, 160), (300, 60, 420, 180)]
    assert plan(*boxes, mode=PanelMode.LARGEST, tracks=[1, 2])[0].wish.face.track_id == 1
    assert plan(*boxes, mode=PanelMode.LARGEST, tracks=[2, 1])[0].wish.face.track_id == 1
    boxes[1] = (300, 60, 440, 200)
    assert plan(*boxes, mode=PanelMode.LARGEST, tracks=[1, 2])[0].wish.face.track_id == 2


def test_face_that_fills_the_picture_still_gets_the_largest_panel(plan):
    (panel,) = plan((0, 0, 640, 480), mode=PanelMode.LARGEST)
    assert bars(panel) == 2
    assert panel.place.intersection(PICTURE) == panel.place
