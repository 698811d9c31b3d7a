import json
from pathlib import Path

import pytest

from faced_cli.errors import InputError
from faced_cli.rows_file import RowsFile


def test_each_row_is_on_disk_when_it_is_written(tmp_path):
    path = tmp_path / "rows.jsonl"
    with RowsFile(path) as rows:
        for frame in range(3):
            rows.write({"frame": frame})
            assert [json.loads(line)["frame"] for line in path.read_text().splitlines()] == list(range(frame + 1))


def test_dash_is_standard_output(capsys):
    with RowsFile(Path("-")) as rows:
        rows.write({"frame": 0})
    assert capsys.readouterr().out == '{"frame": 0}\n'


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_no_space_left_is_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.symlink_to("/dev/full")
    with RowsFile(path) as rows, pytest.raises(InputError, match=r"rows\.jsonl: no space left on the device"):
        rows.write({"frame": 0})


def test_missing_folder_is_named(tmp_path):
    with RowsFile(tmp_path / "none" / "rows.jsonl") as rows, pytest.raises(InputError, match="none"):
        rows.write({"frame": 0})


def test_what_was_there_is_kept_until_the_first_row(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("a row of another run, longer than this one's\n")
    with RowsFile(path) as rows:
        assert path.read_text().startswith("a row of another run")
        rows.write({"frame": 0})
    assert (path.read_text(), rows.count) == ('{"frame": 0}\n', 1)


def test_without_rows_no_file_is_made(tmp_path):
    with RowsFile(tmp_path / "rows.jsonl"):
        pass
    assert not (tmp_path / "rows.jsonl").exists()
