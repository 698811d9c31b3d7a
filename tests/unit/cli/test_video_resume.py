import pytest

from faced_cli.video_resume import history_of
from faced_proto.types import FrameOutcome


@pytest.fixture
def row(face, analysis):
    def make(i, *numbers):
        faces = [face(100, 50, 200, 150, track_id=number) for number in numbers]
        return FrameOutcome(i, i * 1_000_000, analysis(640, 480, *faces))

    return make


def test_the_newest_rows_and_the_one_with_the_highest_number_are_kept(row):
    history = history_of(0.5, 1 << 24)
    for i in range(100):
        history.add(row(i, 1) if i != 40 else row(i, 1, 9))
    assert [kept.frame_id for kept in history.rows()] == [40, *range(69, 100)]
    history.add(row(100, 12))
    assert [kept.frame_id for kept in history.rows()] == list(range(70, 101))


def test_long_half_lives_look_further_back(row):
    history = history_of(2.0, 1 << 24)
    for i in range(100):
        history.add(row(i, 1))
    assert len(history.rows()) == 61


def test_without_tracks_nothing_is_kept(row):
    history = history_of(None, 1 << 24)
    history.add(row(0, 1))
    assert history.rows() == ()
