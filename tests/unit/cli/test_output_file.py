import os

import pytest

from faced_cli.output_file import OutputFile, clear


def box(kind, size=16):
    return size.to_bytes(4, "big") + kind + bytes(size - 8)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.mp4"


def test_the_file_begins_with_a_whole_fragment(path):
    file = OutputFile(path)
    for data in (box(b"ftyp"), box(b"moov")[:5], box(b"moov")[5:], box(b"moof"), box(b"mdat", 100)[:50]):
        assert file.write(data) == len(data)
        assert not path.exists()
    file.write(box(b"mdat", 100)[50:])
    assert path.stat().st_size == file.tell() == 48 + 100
    file.close()


def test_later_fragments_come_whole(path):
    file = OutputFile(path)
    fragment = box(b"moof") + box(b"mdat", 100)
    file.write(fragment + fragment[:90])
    assert path.stat().st_size == len(fragment)
    file.write(fragment[90:] + box(b"moof"))
    assert path.stat().st_size == 2 * len(fragment)
    file.close()
    assert path.stat().st_size == 2 * len(fragment) + 16


def test_seeking_writes_what_waits(path):
    file = OutputFile(path)
    file.write(box(b"moof") + box(b"mdat"))
    file.write(b"abc")
    assert file.seek(4) == 4
    file.write(b"free")
    file.close()
    file.close()
    assert path.read_bytes() == box(b"free") + box(b"mdat") + b"abc"


def test_what_is_no_box_is_written_as_it_is(path):
    file = OutputFile(path)
    file.write(bytes(20))
    assert path.read_bytes() == bytes(20)
    file.close()


def test_the_first_failure_is_raised_and_nothing_comes_after(path):
    path.symlink_to("/dev/full")
    file = OutputFile(path)
    with pytest.raises(OSError, match="No space left"):
        file.write(box(b"moof") + box(b"mdat"))
    assert file.write(box(b"moof") + box(b"mdat")) == 32
    assert file.seek(7) == file.tell()
    file.close()


def test_a_file_that_cannot_be_made_fails_with_the_first_fragment(tmp_path):
    file = OutputFile(tmp_path / "none" / "out.mp4")
    file.write(box(b"ftyp"))
    with pytest.raises(FileNotFoundError):
        file.write(box(b"moof") + box(b"mdat"))
    file.close()


def test_clearing_removes_a_file_and_minds_none(path):
    path.write_bytes(b"older")
    clear(path)
    assert not path.exists()
    clear(path)


def test_clearing_keeps_a_link_and_empties_what_it_leads_to(path, tmp_path):
    target = tmp_path / "elsewhere.mp4"
    target.write_bytes(b"older")
    path.symlink_to(target)
    clear(path)
    assert path.is_symlink()
    assert target.read_bytes() == b""


def test_clearing_leaves_an_open_file_where_it_is(path, tmp_path):
    with (tmp_path / "open.mp4").open("w+b") as file:
        file.write(b"older")
        file.flush()
        path.symlink_to(f"/dev/fd/{file.fileno()}")
        clear(path)
        path.write_bytes(b"newer")
        file.seek(0)
        assert file.read() == b"newer"
    assert (tmp_path / "open.mp4").read_bytes() == b"newer"


def test_clearing_leaves_devices_and_pipes_alone(path, tmp_path):
    os.mkfifo(path)
    clear(path)
    assert path.is_fifo()
    device = tmp_path / "device.mp4"
    device.symlink_to("/dev/full")
    clear(device)
    assert device.is_char_device()
