"""When the video of a run before goes: with the first row of its own source, and no earlier. How long rows last."""

import errno

import pytest

import faced_client
from faced_cli.arguments import parse
from faced_cli.errors import InputError
from faced_cli.frames import VideoSource
from faced_cli.video_job import VideoJob
from faced_cli.video_summary import VideoSummary
from faced_proto.types import FrameOutcome


class Answering:
    """A client whose server finds nothing; or fails at once."""

    def __init__(self, result, failure=None):
        self._result, self._failure = result, failure

    def stream(self, frames, config, *, encode):
        if self._failure is not None:
            raise self._failure
        for frame in frames:
            yield FrameOutcome(frame.frame_id, frame.media_time_us, self._result)


@pytest.fixture
def job_with(make_video, tmp_path):
    """Runs the job of one video; `write` gets its rows."""

    def run(client, write, source=None, options=()):
        path = source or make_video()
        output = tmp_path / "out.mp4"
        arguments = parse(["video", str(path), "-o", str(output), "--force", *options], {})
        summary = VideoSummary(str(path))
        with VideoSource(path) as opened:
            job = VideoJob(arguments, opened, output, summary, write)
            job.run(client, "raw", None, ())
        return summary

    return run


def test_an_older_video_is_gone_before_the_first_row(job_with, analysis, tmp_path):
    output = tmp_path / "out.mp4"
    output.write_bytes(b"older")
    there = []
    job_with(Answering(analysis(64, 48)), lambda row: there.append(output.exists()))
    assert (len(there), there[0]) == (10, False)
    assert output.stat().st_size > 1000


def test_an_older_video_stays_where_the_server_fails_before_the_first_row(job_with, tmp_path):
    (tmp_path / "out.mp4").write_bytes(b"older")
    with pytest.raises(faced_client.Unavailable):
        job_with(Answering(None, faced_client.Unavailable("gone")), lambda row: None)
    assert (tmp_path / "out.mp4").read_bytes() == b"older"


def test_an_older_video_stays_where_the_source_has_no_frame(job_with, make_video, analysis, tmp_path):
    (tmp_path / "out.mp4").write_bytes(b"older")
    source = make_video()
    content = source.read_bytes()
    begin, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    source.write_bytes(content[:begin] + bytes(end - begin) + content[end:])
    with pytest.raises(InputError, match="holds no frame"):
        job_with(Answering(analysis(64, 48)), lambda row: None, source)
    assert (tmp_path / "out.mp4").read_bytes() == b"older"


def test_an_older_video_that_may_not_be_written_ends_the_run_before_its_first_row(job_with, analysis, monkeypatch):
    def refused(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("faced_cli.video_file.clear", refused)
    rows = []
    with pytest.raises(InputError, match=r"out\.mp4: cannot be written \(Permission denied\)"):
        job_with(Answering(analysis(64, 48)), rows.append)
    assert rows == []


@pytest.mark.parametrize(("name", "audio"), [("in.mp4", None), ("in.mkv", None), ("in.mp4", "aac"), ("in.mkv", "aac")])
def test_the_last_row_lasts_to_the_end_of_the_video(job_with, make_video, analysis, face, name, audio):
    rows = []
    source = make_video(name, pts=tuple(range(0, 1000, 40)), audio=audio)
    finding = Answering(analysis(64, 48, face(10, 10, 30, 30, track_id=1)))
    summary = job_with(finding, rows.append, source, ("--every", "10"))
    # Matroska has one length for pictures and sound, and AAC's last block may end behind the last picture.
    late = 0.05 if name.endswith("mkv") and audio else 1e-3
    assert [row.duration_s for row in rows] == pytest.approx([0.4, 0.4, 0.2], abs=late)
    assert summary.end_s == pytest.approx(1.0, abs=late)
    (track,) = summary.longest()
    assert (track.seconds, track.last_s) == pytest.approx((1.0, 1.0), abs=late)
    assert set(track.timeline.bins) <= {0, 1, 2}


def test_a_video_that_announces_less_than_it_has_keeps_its_rows(job_with, make_video, analysis, monkeypatch):
    monkeypatch.setattr(VideoSource, "_announced", lambda source: 0.18)
    rows = []
    job_with(Answering(analysis(64, 48)), rows.append, options=("--every", "3"))
    assert [row.duration_s for row in rows] == pytest.approx([0.12, 0.06, 0.12, 0.12])
