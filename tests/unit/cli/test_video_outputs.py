import io
import os
from pathlib import Path

import pytest

from faced_cli.errors import CommandError
from faced_cli.video_flags import VideoFiles
from faced_cli.video_outputs import check_outputs, plan_outputs


def refused(source: Path, output: Path | None, jsonl: Path | None, *, force: bool = False) -> tuple[int, str]:
    with pytest.raises(CommandError) as error:
        check_outputs(source, output, jsonl, force=force)
    return error.value.exit_code, str(error.value)


def test_what_exists_is_kept_unless_forced(tmp_path):
    out = tmp_path / "out.mp4"
    out.write_bytes(b"precious")
    code, told = refused(tmp_path / "in.mp4", out, None)
    assert (code, "--force" in told) == (2, True)
    check_outputs(tmp_path / "in.mp4", out, None, force=True)
    assert out.read_bytes() == b"precious"


def test_missing_folder_is_told_before_any_work(tmp_path):
    code, told = refused(tmp_path / "in.mp4", tmp_path / "none" / "out.mp4", None)
    assert code == 3
    assert f"no folder {tmp_path / 'none'}" in told


def test_source_is_never_written(tmp_path):
    source = tmp_path / "in.mp4"
    source.write_bytes(b"x")
    (tmp_path / "link.mp4").symlink_to(source)
    for output in (source, tmp_path / "link.mp4"):
        assert refused(source, output, None, force=True) == (2, f"{output}: is the video that is read")


def test_one_file_cannot_be_both(tmp_path):
    assert refused(tmp_path / "in.mp4", tmp_path / "a.mp4", tmp_path / "a.mp4")[0] == 2


def test_other_containers_are_refused_by_name(tmp_path):
    assert ".mp4" in refused(tmp_path / "in.mp4", tmp_path / "a.avi", None)[1]


def test_standard_output_and_new_files_are_fine(tmp_path):
    check_outputs(tmp_path / "in.mp4", tmp_path / "out.mp4", Path("-"), force=False)


def test_devices_and_pipes_need_no_force(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/null"), tmp_path / "pipe"):
        check_outputs(tmp_path / "in.mp4", None, path, force=False)


def test_several_videos_go_into_a_folder(tmp_path):
    sources = (tmp_path / "a" / "in.mp4", tmp_path / "b" / "in.mkv", tmp_path / "other.mov")
    planned = plan_outputs(VideoFiles(sources, output=tmp_path / "out"), sources)
    names = ["in.annotated.mp4", "in-2.annotated.mp4", "other.annotated.mp4"]
    assert [path.name for path in planned.videos] == names
    assert planned.journal == tmp_path / "out" / "in.annotated.mp4.journal"
    with pytest.raises(CommandError, match="give a folder"):
        plan_outputs(VideoFiles(sources, output=tmp_path / "out.mp4"), sources)


def test_the_journal_lies_beside_the_first_file(tmp_path):
    source = (tmp_path / "in.mp4",)
    files = VideoFiles(source, jsonl=Path("-"), csv=tmp_path / "rows.csv", summary=tmp_path / "s.html")
    assert plan_outputs(files, source).journal == tmp_path / "rows.csv.journal"
    assert plan_outputs(VideoFiles(source, jsonl=Path("-")), source).journal is None
    with pytest.raises(CommandError, match="--resume"):
        plan_outputs(VideoFiles(source, jsonl=Path("-"), resume=True), source)
    with pytest.raises(CommandError, match="cannot both be standard output"):
        plan_outputs(VideoFiles(source, jsonl=Path("-"), csv=Path("-")), source)


@pytest.mark.parametrize(("answer", "goes_on"), [("y\n", True), ("yes\n", True), ("\n", False), ("n\n", False)])
def test_in_a_terminal_one_is_asked(tmp_path, monkeypatch, capsys, answer, goes_on):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    err = Terminal()
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", err)
    out = tmp_path / "out.mp4"
    out.write_bytes(b"precious")
    files = VideoFiles((tmp_path / "in.mp4",), output=out)
    if goes_on:
        assert plan_outputs(files, files.sources).videos == (out,)
    else:
        with pytest.raises(CommandError, match="--force"):
            plan_outputs(files, files.sources)
    assert err.getvalue() == f"{out}: write over? [y/N] "


def test_a_run_that_was_cut_off_is_offered_for_resuming(tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("{}")
    (tmp_path / "rows.jsonl.journal").touch()
    assert "--resume to go on with it" in refused(tmp_path / "in.mp4", None, rows)[1]
