import cv2
import numpy as np
import pytest

from faced_cli.lettering import StrokeLettering, ascii_text
from faced_cli.overlay import annotate, letter_size
from faced_cli.palette import FACES
from faced_cli.panel import Bar, Heading, Remark, panel_lines, percent_text
from faced_cli.placement import Rect, free_place, least_bad_place
from faced_proto.types import FaceAnalysis


def grey(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


def changed_area(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return (before != after).any(axis=2)


def test_picture_is_new_of_same_kind_and_input_stays(analysis, face):
    image = grey(640, 480)
    image.setflags(write=False)
    drawn = annotate(image, analysis(640, 480, face(200, 100, 320, 220)))
    assert drawn.shape == (480, 640, 3)
    assert drawn.dtype == np.uint8
    assert not np.shares_memory(drawn, image)
    assert (image == 128).all()
    assert changed_area(image, drawn).sum() > 20_000


def test_no_faces_changes_nothing(analysis):
    image = grey(320, 240)
    assert (annotate(image, analysis(320, 240)) == image).all()


@pytest.mark.parametrize(
    ("width", "height", "box"),
    [
        (320, 240, (20, 60, 110, 150)),
        (640, 480, (400, 100, 560, 260)),
        (1920, 1080, (800, 300, 1100, 600)),
        (3840, 2160, (100, 100, 900, 900)),
    ],
)
def test_inside_of_the_face_is_left_free_where_there_is_room(analysis, face, width, height, box):
    image = grey(width, height)
    one = face(*box)
    bare = FaceAnalysis(one.detection, (), one.attributes)  # landmarks are drawn on the face
    changed = changed_area(image, annotate(image, analysis(width, height, bare)))
    margin = 4 + letter_size(width, height) // 4  # of the line with its dark edge
    inside = changed[box[1] + margin : box[3] - margin, box[0] + margin : box[2] - margin]
    assert not inside.any()
    beside = changed.copy()
    beside[box[1] - 2 * letter_size(width, height) : box[3] + 4, box[0] - 4 : box[2] + 4] = False
    assert beside.sum() > 100 * letter_size(width, height)  # the panel


def test_panels_of_two_faces_cover_neither_face(analysis, face):
    image = grey(960, 540)
    boxes = [(100, 100, 220, 220), (560, 120, 680, 240)]
    faces = [FaceAnalysis(f.detection, (), f.attributes) for f in (face(*box) for box in boxes)]
    changed = changed_area(image, annotate(image, analysis(960, 540, *faces)))
    for left, top, right, bottom in boxes:
        assert not changed[top + 5 : bottom - 5, left + 5 : right - 5].any()
        assert changed[top:bottom, right + 12 : right + 100].mean() > 0.9


def test_boxes_have_the_colours_of_the_palette(analysis, face):
    drawn = annotate(grey(640, 480), analysis(640, 480, face(100, 100, 200, 200)))
    assert tuple(drawn[150, 100]) == FACES[0]
    assert tuple(drawn[199, 150]) == FACES[0]


def test_smallest_pictures_and_faces_that_fill_or_leave_them(analysis, face):
    for width, height, box in [
        (1, 1, (0, 0, 1, 1)),
        (1, 1, (-200, -200, 300, 300)),
        (60, 50, (10, 10, 50, 45)),
        (200, 100, (-50, -40, 120, 130)),
        (320, 240, (0, 0, 320, 240)),
        (320, 240, (-1e9, -1e9, 1e9, 1e9)),
        (320, 240, (500, 500, 600, 600)),
        (320, 240, (300, 220, 420, 340)),
    ]:
        image = grey(width, height)
        drawn = annotate(image, analysis(width, height, face(*box)))
        assert drawn.shape == image.shape
    assert (drawn != image).any()


def test_face_outside_the_picture_is_not_drawn(analysis, face):
    image = grey(320, 240)
    assert (annotate(image, analysis(320, 240, face(500, 500, 600, 600))) == image).all()


def test_crowd_is_drawn_in_time(analysis, face):
    faces = [face(40 * (i % 16), 60 * (i // 16), 40 * (i % 16) + 36, 60 * (i // 16) + 36) for i in range(96)]
    drawn = annotate(grey(640, 480), analysis(640, 480, *faces))
    assert drawn.shape == (480, 640, 3)


def test_labels_of_any_script(analysis, face, distribution):
    labels = ("\u0441\u0447\u0430\u0441\u0442\u044c\u0435", "\u9ad8\u5174", "\u00c4rger", "\U0001f600")
    mood = distribution("mood", labels, (0.7, 0.2, 0.06, 0.04))
    image = grey(640, 480)
    ascii_mood = distribution("mood", ("a", "b", "c", "d"), (0.7, 0.2, 0.06, 0.04))
    box = (200, 100, 320, 220)
    drawn = annotate(image, analysis(640, 480, face(*box, emotion=mood)))
    assert (drawn != annotate(image, analysis(640, 480, face(*box, emotion=ascii_mood)))).any()


def test_strokes_stand_in_where_opencv_has_no_unicode(analysis, face, monkeypatch):
    monkeypatch.delattr(cv2, "FontFace", raising=False)
    image = grey(640, 480)
    assert changed_area(image, annotate(image, analysis(640, 480, face(200, 100, 320, 220)))).sum() > 20_000
    assert StrokeLettering().width("happy", 12) > 10
    assert ascii_text("\u00c4rger 23\u201347 \u9ad8") == "Arger 23-47 ?"


def test_picture_of_another_size_is_refused(analysis):
    with pytest.raises(ValueError, match="10x10 px, but 20x20"):
        annotate(grey(10, 10), analysis(20, 20))


def test_panel_lines_hold_every_distribution_and_the_reason_of_a_withheld_one(face):
    lines = panel_lines(face(0, 0, 100, 100), 99)
    assert Heading("Age", "34 (24\u201344)") in lines
    assert lines[lines.index(Heading("Gender", "withheld")) + 1] == Remark("may be a minor")
    bars = [line for line in lines if isinstance(line, Bar)]
    assert len(bars) == 7 + 8
    assert [bar.label for bar in bars if bar.best] == ["happy", "23-35"]
    assert len([line for line in panel_lines(face(0, 0, 100, 100), 3) if isinstance(line, Bar)]) == 3 + 3


@pytest.mark.parametrize(
    ("probability", "text"),
    [(0.0, "0 %"), (1.0, "100 %"), (0.001, "<1 %"), (0.9987, ">99 %"), (0.5, "50 %"), (0.126, "13 %")],
)
def test_percentages_never_round_to_certainty(probability, text):
    assert percent_text(probability) == text


def test_place_is_right_of_the_face_then_left_and_never_on_an_obstacle():
    picture, size = Rect(0, 0, 400, 300), (100, 80)
    face = Rect(150, 100, 230, 180)
    assert free_place(picture, face, size, [face], 6) == Rect(236, 100, 336, 180)
    wall = Rect(240, 0, 250, 300)
    assert free_place(picture, face, size, [face, wall], 6) == Rect(44, 100, 144, 180)
    assert free_place(picture, face, (500, 80), [face], 6) is None
    full = Rect(0, 0, 400, 300)
    assert free_place(picture, full, size, [full], 6) is None
    assert least_bad_place(picture, full, size, [full], 6) is not None
