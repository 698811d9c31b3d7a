"""The folder of a data set: what is in it, what is missing, what must not be touched."""

import json

import pytest

from faced_cli.errors import InputError, UsageError
from faced_cli.parquet_set import ParquetSet

HEADER = {"options": "1", "networks": "2"}


@pytest.fixture
def videos(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("one.mp4", "two.mp4"):
        (folder / name).write_bytes(b"video")
    return sorted(folder.iterdir())


def make(into, video):
    part = into.part(video)
    into.unfinished(part).write_bytes(b"rows")
    into.finish(video, part)
    return part


def opened(tmp_path, *, header=HEADER, resume=False, force=False):
    return ParquetSet(tmp_path / "set", header, resume=resume, force=force)


def test_what_is_finished_is_not_missing_any_more(tmp_path, videos):
    into = opened(tmp_path)
    assert into.missing(videos) == videos
    part = make(into, videos[0])
    assert part.name.startswith("one-")
    assert into.missing(videos) == videos[1:]
    into.unfinished(into.part(videos[1])).write_bytes(b"half")
    assert opened(tmp_path, resume=True).missing(videos) == videos[1:]


def test_a_video_that_changed_is_made_again_in_place_of_its_old_rows(tmp_path, videos):
    into = opened(tmp_path)
    old = make(into, videos[0])
    videos[0].write_bytes(b"another video")
    assert into.missing(videos[:1]) == videos[:1]
    new = make(into, videos[0])
    assert (old.exists(), new.exists()) == (False, True)


def test_equal_names_in_other_folders_are_other_parts(tmp_path, videos):
    twin = tmp_path / "one.mp4"
    twin.write_bytes(b"video")
    into = opened(tmp_path)
    assert into.part(twin) != into.part(videos[0])


def test_names_of_any_letters_become_names_of_files(tmp_path):
    into = opened(tmp_path)
    for name in ("[a*]?.mp4", "_hidden.mp4", "..mp4", "x" * 200 + ".mp4"):
        part = into.part(tmp_path / name).name
        assert part[0] not in "_."
        assert not set(part) & set("[]*?/")
        assert len(part) < 130


def test_an_existing_set_wants_to_be_resumed_or_begun_anew(tmp_path, videos):
    part = make(opened(tmp_path), videos[0])
    with pytest.raises(UsageError, match="give --resume"):
        opened(tmp_path)
    with pytest.raises(UsageError, match="made with other networks"):
        opened(tmp_path, header=HEADER | {"networks": "3"}, resume=True)
    assert part.exists()
    assert opened(tmp_path, header=HEADER | {"networks": "3"}, force=True).missing(videos) == videos
    assert not part.exists()
    assert json.loads((tmp_path / "set" / "_faced.json").read_text())["networks"] == "3"


def test_folders_of_other_things_are_left_alone(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "thesis.parquet").write_bytes(b"mine")
    for force in (False, True):
        with pytest.raises(UsageError, match="other things"):
            opened(tmp_path, force=force)
    assert (tmp_path / "set" / "thesis.parquet").read_bytes() == b"mine"
    with pytest.raises(InputError, match="no folder"):
        ParquetSet(tmp_path / "missing" / "set", HEADER, resume=False, force=False)
