"""When the video of a run before goes: with the first row of its own source, and no earlier."""

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

    def run(client, write, source=None):
        path = source or make_video()
        output = tmp_path / "out.mp4"
        arguments = parse(["video", str(path), "-o", str(output), "--force"], {})
        with VideoSource(path) as opened:
            job = VideoJob(arguments, opened, output, VideoSummary(str(path)), write)
            job.run(client, "raw", None, ())

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
