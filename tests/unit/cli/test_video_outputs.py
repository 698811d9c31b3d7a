import os
from pathlib import Path

import pytest

from faced_cli.errors import CommandError
from faced_cli.video_outputs import check_outputs


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
