"""What a worker makes of a video that was named in another folder."""

from pathlib import Path

import pytest

from faced_cli.arguments import parse
from faced_cli.flat_rows import columns
from faced_cli.parquet_set import ParquetSet
from faced_cli.video_part import make_part
from faced_proto.types import FrameOutcome

parquet = pytest.importorskip("pyarrow.parquet")


class FindingNothing:
    def __init__(self, result):
        self._result = result

    def stream(self, frames, config, *, encode):
        for frame in frames:
            yield FrameOutcome(frame.frame_id, frame.media_time_us, self._result)


@pytest.fixture
def made(tmp_path, monkeypatch, analysis):
    """Names a file in `tmp_path`, and makes its part in another folder; gives what became of it, and the data set."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    arguments = parse(["video", "in.mp4", "--engine", "ray", "--parquet", "set"], {})

    def run(name):
        monkeypatch.chdir(tmp_path)
        into, file = ParquetSet(Path("set"), {}, resume=False, force=False), Path(name).absolute()
        monkeypatch.chdir(elsewhere)
        client = FindingNothing(analysis(64, 48))
        done = make_part(client, arguments, Path(name), file, into, columns([]), "raw")
        monkeypatch.chdir(tmp_path)
        return done, into

    return run


def test_a_relative_path_is_of_the_folder_in_which_it_was_named(made, make_video, tmp_path):
    make_video("in.mp4")
    (tmp_path / "elsewhere" / "in.mp4").write_bytes(b"another file")
    done, into = made("in.mp4")
    assert (done.failure, done.frames) == ("", 10)
    assert done.report.startswith("in.mp4: 10 frames")
    (part,) = (tmp_path / "set").glob("*.parquet")
    assert {row["source"] for row in parquet.read_table(part).to_pylist()} == {"in.mp4"}
    assert into.missing([Path("in.mp4")]) == []


def test_what_is_wrong_names_the_video_as_it_was_named(made, tmp_path):
    assert made("in.mp4")[0].failure == "in.mp4: there is no such file"
