from html.parser import HTMLParser

import pytest

from faced_cli.summary_page import page
from faced_cli.video_row import VideoRow
from faced_cli.video_summary import Timeline, VideoSummary, clock, table
from faced_proto.types import ErrorReason, FrameFailure, FrameOutcome

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


@pytest.fixture
def summary(face, analysis, distribution):
    """Four seconds: one face throughout, happy and then sad, another for one second; one frame failed."""
    happy = distribution("emotion", LABELS, (0.0, 0.0, 0.0, 0.8, 0.1, 0.0, 0.1))
    sad = distribution("emotion", LABELS, (0.0, 0.0, 0.0, 0.1, 0.8, 0.0, 0.1))
    result = VideoSummary("<b>clip</b>.mp4")
    for i in range(100):
        faces = [face(100, 50, 200, 150, track_id=1, emotion=happy if i < 75 else sad)]
        faces += [face(300, 50, 400, 150, track_id=2, emotion=sad)] if 50 <= i < 75 else []
        outcome = analysis(640, 480, *faces) if i else FrameFailure(ErrorReason.INTERNAL, "x")
        result.add(VideoRow(result.source, i, i / 25, 0.04, FrameOutcome(i, 40_000 * i, outcome)))
    return result


def test_frames_faces_tracks_and_seconds_of_each_emotion(summary):
    assert (summary.frames, summary.faces, summary.failed) == (100, 99 + 25, 1)
    assert summary.end_s == pytest.approx(4.0)
    one, two = summary.longest()
    assert (one.number, one.first_s, one.last_s) == (1, 0.04, pytest.approx(4.0))
    assert one.emotions == {"happy": pytest.approx(74 * 0.04), "sad": pytest.approx(25 * 0.04)}
    assert (two.number, two.seconds, two.first_s, two.last_s) == (2, pytest.approx(1.0), 2.0, pytest.approx(3.0))
    assert one.age == pytest.approx(34, abs=0.01)
    assert one.gender is None


def test_the_table_fits_a_terminal(summary):
    lines = table(summary)
    assert " ".join(lines[1].split()) == "#1 0:00.0 0:04.0 4.0 s happy 3.0 s, sad 1.0 s, 34 y"
    assert max(map(len, lines)) <= 80
    for number in range(3, 20):
        summary.tracks[number] = summary.tracks[2]
    assert table(summary)[-1] == "  and 11 more"
    assert table(VideoSummary("x")) == []


def test_times_are_read_like_a_clock():
    assert [clock(t) for t in (0, 59.96, 61.25, 3600, 36_061)] == [
        "0:00.0", "1:00.0", "1:01.2", "1:00:00.0", "10:01:01.0",
    ]  # fmt: skip


def test_a_time_line_stays_small_and_keeps_its_sums():
    line = Timeline()
    for i in range(40_000):
        line.add(i / 4, 0.25, {"happy": 0.25 if i < 20_000 else 0.75})
    assert len(line.bins) <= 600
    found = list(line.means())
    assert sum(counted[""] for counted in line.bins.values()) == pytest.approx(10_000)
    assert found[0][2]["happy"] == pytest.approx(0.25)
    assert found[-1][1] == pytest.approx(10_000, rel=0.01)
    assert found[-1][2]["happy"] == pytest.approx(0.75)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_is_whole_and_loads_nothing(summary):
    tags = Tags()
    tags.feed(page([summary]))
    assert tags.open == []
    assert not [
        tag for tag, attrs in tags.seen if tag in ("script", "link", "img") or "src" in attrs or "href" in attrs
    ]
    assert sum(tag == "svg" for tag, _ in tags.seen) == 2
    assert "<b>clip</b>.mp4" in tags.text
    assert "100 frames analysed · 124 faces · 2 tracks · 1 failed" in tags.text
    bars = [attrs for tag, attrs in tags.seen if tag == "rect" and attrs.get("fill")]
    assert all(0 <= float(bar["x"]) <= 1000 and float(bar["height"]) <= 72 for bar in bars)
    assert max(float(bar["x"]) + float(bar["width"]) for bar in bars) == pytest.approx(1000, abs=1)


def test_a_time_line_divides_a_moment_over_its_bins():
    line = Timeline()
    line.add(0.25, 4.0, {"happy": 0.5})
    line.add(4.25, 0.25, {"happy": 0.25})
    assert [(begin, end) for begin, end, _ in line.means()] == [(i / 2, i / 2 + 0.5) for i in range(9)]
    assert [line.bins[i][""] for i in range(9)] == pytest.approx([0.25] + [0.5] * 8)
    assert [means["happy"] for *_, means in line.means()] == pytest.approx([0.5] * 8 + [0.375])


def test_rows_that_end_with_a_bin_leave_nothing_in_the_next():
    line = Timeline()
    for i in range(0, 1000, 10):
        line.add(i * 0.01, 0.1, {"happy": 1.0})
    assert list(line.bins) == list(range(20))


def test_a_time_line_of_one_long_moment_stays_small():
    line = Timeline()
    line.add(0.0, 100_000.0, {"happy": 1.0})
    assert 300 <= len(line.bins) <= 600
    assert sum(counted[""] for counted in line.bins.values()) == pytest.approx(100_000)
