import os
from threading import Thread

import pytest

from faced_service.watched_files import FileFault, WatchedFiles, read_file


class Number:
    """A file that should hold a whole number, counted how often it was read."""

    def __init__(self, path):
        self.path, self.reads = path, 0

    def __call__(self):
        self.reads += 1
        try:
            return int(read_file(self.path))
        except ValueError as error:
            raise FileFault(f"{self.path} holds no number") from error


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "number"
    path.write_text("1")
    return path


def test_it_is_read_again_only_when_it_changed(path):
    number = Number(path)
    watched = WatchedFiles("numbers", [path], number)
    assert [watched.value for _ in range(5)] == [1] * 5
    assert number.reads == 1
    path.write_text("22")
    assert [watched.value for _ in range(5)] == [22] * 5
    assert number.reads == 2


def test_a_replaced_file_of_equal_size_and_time_is_seen(path, tmp_path):
    watched = WatchedFiles("numbers", [path], Number(path))
    other = tmp_path / "other"
    other.write_text("7")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)
    assert watched.value == 7


def test_what_cannot_be_used_leaves_the_value_and_is_said_once(path, caplog):
    told = []
    watched = WatchedFiles("numbers", [path], Number(path), on_reload=lambda *words: told.append(words))
    path.write_text("none")
    assert [watched.value for _ in range(3)] == [1] * 3
    assert told == [("numbers", False)]
    assert len([record for record in caplog.records if "holds no number" in record.message]) == 1
    path.unlink()
    assert watched.value == 1
    path.write_text("33")
    assert watched.value == 33
    assert told == [("numbers", False), ("numbers", False), ("numbers", True)]


def test_the_first_fault_is_raised(path):
    path.write_text("none")
    with pytest.raises(FileFault, match="holds no number"):
        WatchedFiles("numbers", [path], Number(path))


def test_threads_may_ask_at_once(path):
    number = Number(path)
    watched = WatchedFiles("numbers", [path], number)
    path.write_text("44")
    seen = []
    threads = [Thread(target=lambda: seen.append(watched.value)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [44] * 8
    assert number.reads == 2
