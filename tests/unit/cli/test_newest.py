import threading
import time

import pytest

from faced_cli.newest import Newest


def test_newer_item_takes_the_place_of_one_that_was_not_fetched():
    newest = Newest()
    for item in range(5):
        newest.put(item)
    assert newest.take() == 4
    assert newest.replaced == 4
    assert newest.take(timeout=0.01) is None
    assert not newest.ended


def test_waits_for_an_item_of_another_thread():
    newest = Newest()
    threading.Timer(0.05, newest.put, [7]).start()
    assert newest.take(timeout=5) == 7


def test_last_item_comes_before_the_end_and_its_failure():
    newest = Newest()
    newest.put(1)
    newest.end(RuntimeError("gone"))
    newest.end()
    newest.put(2)
    assert not newest.ended
    assert newest.take() == 1
    assert newest.ended
    for _ in range(2):
        with pytest.raises(RuntimeError, match="gone"):
            newest.take()


def test_end_wakes_who_waits():
    newest = Newest()
    threading.Timer(0.05, newest.end).start()
    begun = time.monotonic()
    assert newest.take() is None
    assert time.monotonic() - begun < 5
