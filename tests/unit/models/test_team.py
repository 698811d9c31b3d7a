"""Parts of a piece of work, each done once, by whoever is there."""

import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from faced_models.team import Team


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("parts", [0, 1, 2, 50])
def test_each_part_is_done_once(threads, parts):
    done = []
    Team(threads).share(done.append, range(parts))
    assert sorted(done) == list(range(parts))


def test_helpers_work_beside_the_caller():
    team, together = Team(3), threading.Barrier(3, timeout=10)
    seen = set()

    def work(_part):
        together.wait()
        seen.add(threading.get_ident())

    team.share(work, range(3))
    assert len(seen) == 3
    assert threading.get_ident() in seen


@contextmanager
def busy(team):
    """The only helper of the team works for another caller."""
    both, end = threading.Barrier(3, timeout=10), threading.Event()

    def long(_part):
        both.wait()
        end.wait(10)

    with ThreadPoolExecutor(1) as other:
        held = other.submit(team.share, long, range(2))
        both.wait()
        yield
        end.set()
        held.result()


def test_nobody_waits_for_a_helper_that_has_not_begun():
    team, done = Team(2), []
    with busy(team):
        team.share(done.append, range(20))
        assert len(done) == 20


@pytest.mark.parametrize("failing", range(3))
def test_what_any_thread_raises_is_raised_once_no_one_works_any_more(failing):
    team, together, working, done = Team(3), threading.Barrier(3, timeout=10), [], []

    def work(part):
        if part > 2:
            done.append(part)
            return
        together.wait()
        working.append(part)
        if part == failing:
            working.remove(part)
            raise ValueError(f"part {part}")
        time.sleep(0.1)
        working.remove(part)

    with pytest.raises(ValueError, match=f"part {failing}"):
        team.share(work, range(1000))
    assert working == []
    assert len(done) < 997
    done.clear()
    team.share(done.append, range(5))
    assert sorted(done) == list(range(5))


@pytest.mark.parametrize("failing", range(2))
def test_an_error_that_was_handled_keeps_nothing(failing):
    team, together = Team(2), threading.Barrier(2, timeout=10)

    class Picture:
        pass

    def share():
        picture = Picture()

        def work(part, picture=picture):
            together.wait()
            if part == failing:
                raise MemoryError

        with pytest.raises(MemoryError):
            team.share(work, range(2))
        return weakref.ref(picture)

    gc.collect()
    gc.disable()
    try:
        assert share()() is None
    finally:
        gc.enable()


def test_helpers_that_never_began_keep_nothing():
    class Picture:
        pass

    team, picture = Team(2), Picture()
    kept = weakref.ref(picture)
    with busy(team):
        team.share(lambda _part, picture=picture: None, range(2))
        del picture
        assert kept() is None


def test_callers_share_the_helpers():
    team = Team(2)
    with ThreadPoolExecutor(4) as callers:
        results = [[] for _ in range(40)]
        list(callers.map(lambda result: team.share(result.append, range(25)), results))
    assert [sorted(result) for result in results] == [list(range(25))] * 40
