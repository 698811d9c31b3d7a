"""Tracks from boxes alone: made rows at 25 frames/s with known motion."""

import random
from dataclasses import replace

import pytest

from faced_proto.types import Box, Detection, EffectiveOptions, Engine, FaceAnalysis, FrameAnalysis, Precision, Rotation
from faced_proto.types import Timing as NoTiming
from faced_service.tracks import Tracks, advance, number_faces

SIZE = 96.0


def row(*centres, size=SIZE, thumbnail=b""):
    """Faces at x, y and, unless all have one size, with sizes of their own."""
    squares = [(x, y, *(own or [size])) for x, y, *own in centres]
    faces = tuple(
        FaceAnalysis(Detection(Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2), 1.0), (), ())
        for x, y, side in squares
    )
    engine = Engine("cpu", "made", Precision.EXACT, "made@1")
    options = EffectiveOptions(0, 0.0, None, ())
    return FrameAnalysis(640, 480, Rotation.NONE, faces, 1.0, 80.0, options, True, engine, NoTiming(), thumbnail)


def numbered(times_and_rows, tracks=None):
    """The numbers in each row, and the tracks after the last."""
    tracks = tracks or Tracks()
    result = []
    for time_s, given in times_and_rows:
        numbers = number_faces(tracks, time_s, given)
        result.append(numbers)
        faces = tuple(replace(face, track_id=n) for face, n in zip(given.faces, numbers, strict=True))
        tracks = advance(tracks, time_s, replace(given, faces=faces))
    return result, tracks


def clip(*rows, step=0.04):
    return [(step * i, given) for i, given in enumerate(rows)]


def test_numbers_begin_with_1_and_go_from_left_to_right():
    assert numbered(clip(row((500, 100), (100, 100), (300, 100))))[0] == [(3, 1, 2)]


def test_a_face_on_the_detectors_grid_keeps_its_number():
    chance = random.Random(0)
    rows = [
        row((100 + 3 * i + chance.choice((-8, 0, 8)), 200 + chance.choice((-8, 0, 8))), size=SIZE * 1.2**jump)
        for i, jump in ((i, chance.choice((-1, 0, 0, 1))) for i in range(150))
    ]
    assert set(numbered(clip(*rows))[0]) == {(1,)}


@pytest.mark.parametrize("step", [0.01, 0.04, 0.2, 0.4])
def test_two_faces_that_pass_each_other_keep_their_numbers(step):
    """Both at one size a second, and both in sight all the time; one above the other by half a face."""
    times = [i * step for i in range(round(4 / step))]
    rows = [(t, row((100 + SIZE * t, 200), (100 + SIZE * (4 - t), 250))) for t in times]
    assert set(numbered(rows)[0]) == {(1, 2)}


def test_a_face_that_is_hidden_while_another_passes_comes_back_as_itself():
    rows = []
    for i in range(100):
        behind, before = (100 + 4 * i, 200), (500 - 4 * i, 200)
        rows.append(row(before) if abs(behind[0] - before[0]) < 0.8 * SIZE else row(behind, before))
    numbers, _ = numbered(clip(*rows))
    assert sum(len(found) == 1 for found in numbers) > 15
    assert [found for found in numbers if len(found) == 2] == [(1, 2)] * sum(len(found) == 2 for found in numbers)
    assert {found for found in numbers if len(found) == 1} == {(2,)}


def test_a_face_whose_box_stops_while_it_is_being_covered_comes_back_as_itself():
    """Boxes as the detector has them of two people who cross at 2.5 sizes a second: the one behind seems to stand."""
    before = (110, 110, 120, 129, 139, 148, 158, 168, 187, 196, 206, 225, 235, 254, 264, 283, 292, 302)
    behind = ((369, 96), (360, 96), (350, 96), (340, 95), (331, 96), (321, 96), (316, 80), (308, 80), (302, 96))
    both = [row((x, 108), (y, 117, side)) for x, (y, side) in zip(before, behind, strict=False)]
    alone = [row((x, 108)) for x in before[9:16]]
    again = [row((x, 108), (y, 117)) for x, y in zip(before[16:], (177, 168), strict=True)]
    assert numbered(clip(*both, *alone, *again))[0] == [(1, 2)] * 9 + [(1,)] * 7 + [(1, 2)] * 2


@pytest.mark.parametrize("speed", [1, 3, 6])
@pytest.mark.parametrize("step", [0.04, 0.08, 0.12, 0.2])
def test_who_walks_past_keeps_a_number_from_the_first_row_at_any_frame_rate(speed, step):
    """In sizes of the face a second; one more face stands a size and a half above."""
    times = [i * step for i in range(round(6 / speed / step))]
    rows = [(t, row((30 + speed * SIZE * t, 300), (320, 300 - 1.5 * SIZE))) for t in times]
    assert set(numbered(rows)[0]) == {(1, 2)}


def test_the_nearest_assignment_is_that_of_all_faces_together():
    """The second box is nearest to the first track, which has a box of its own."""
    assert numbered(clip(row((100, 100), (160, 100)), row((55, 100), (115, 100))))[0] == [(1, 2), (1, 2)]


@pytest.mark.parametrize(("away", "number"), [(0.5, 1), (1.9, 1), (2.2, 2), (60.0, 2)])
def test_a_face_that_comes_back_within_two_seconds_is_the_same(away, number):
    here = [(0.04 * i, row((300, 200))) for i in range(25)]
    assert numbered([*here, (0.96 + away, row((320, 210)))])[0][-1] == (number,)


def test_a_face_that_left_over_the_border_is_waited_for_there():
    leaving = [row((630 - 4 * (40 - i), 200)) for i in range(40)]
    back = row((610, 200))
    assert numbered([*clip(*leaving), (1.6 + 1.2, back)])[0][-1] == (1,)


def test_a_face_elsewhere_is_another_one():
    assert numbered(clip(row((100, 100)), row((250, 100))))[0] == [(1,), (2,)]
    assert numbered(clip(row((300, 200)), row((300, 200), size=3 * SIZE)))[0] == [(1,), (2,)]


def test_numbers_are_never_given_twice():
    numbers, _ = numbered([(3.0 * i, row((300, 200))) for i in range(5)])
    assert numbers == [(1,), (2,), (3,), (4,), (5,)]


def test_tracks_end_at_a_cut():
    one, other = bytes(range(192)), bytes(reversed(range(192)))
    rows = [row((300, 200), thumbnail=one)] * 3 + [row((300, 200), thumbnail=other)] * 3
    assert numbered(clip(*rows))[0] == [(1,)] * 3 + [(2,)] * 3


def test_rows_without_faces_pass_and_time_may_stand_still():
    assert numbered([(1.0, row((300, 200))), (1.0, row()), (1.0, row((305, 200)))])[0] == [(1,), (), (1,)]


def test_tracks_that_begin_in_mid_stream_are_soon_the_same():
    """The filter forgets: after five seconds of rows nothing tells when it began."""
    chance = random.Random(1)
    rows = [
        (0.04 * i, row((100 + i, 200 + chance.gauss(0, 6)), (500 - i, 220 + chance.gauss(0, 6)))) for i in range(400)
    ]
    numbers, whole = numbered(rows)
    late = Tracks(highest=2)
    for (time_s, given), found in list(zip(rows, numbers, strict=True))[275:]:
        faces = tuple(replace(face, track_id=n) for face, n in zip(given.faces, found, strict=True))
        late = advance(late, time_s, replace(given, faces=faces))
    for a, b in zip(whole.alive, late.alive, strict=True):
        assert (a.number, a.seen_s) == (b.number, b.seen_s)
        assert b.place == pytest.approx(a.place, abs=1e-9)
        assert b.speed == pytest.approx(a.speed, abs=1e-9)
        assert b.variances == pytest.approx(a.variances, abs=1e-9)
