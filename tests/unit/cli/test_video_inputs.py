from pathlib import Path

import pytest

from faced_cli.errors import InputError
from faced_cli.video_inputs import find_videos


def test_folders_are_their_videos_by_name_and_nothing_comes_twice(tmp_path):
    for name in ("b.MP4", "a.mkv", "notes.txt", "c.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "deeper.mp4").mkdir()
    one, other = tmp_path / "a.mkv", tmp_path / "b.MP4"
    assert find_videos([other, tmp_path]) == (other, one)
    assert find_videos([Path("missing.avi")]) == (Path("missing.avi"),)


def test_a_folder_without_videos_is_told(tmp_path):
    with pytest.raises(InputError, match="no videos in this folder"):
        find_videos([tmp_path])
