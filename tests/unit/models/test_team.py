"""Parts of a piece of work, each done once, by whoever is there."""

import threading
from concurrent.futures import ThreadPoolExecutor

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


def test_nobody_waits_for_a_helper_that_has_not_begun():
    team, busy, end = Team(2), threading.Event(), threading.Event()

    def long(_part):
        busy.set()
        end.wait(10)

    with ThreadPoolExecutor(1) as other:
        # Two parts: that caller and the only helper are held up.
        held = other.submit(team.share, long, range(2))
        busy.wait(10)
        while team._helpers._work_queue.qsize():
            pass
        done = []
        team.share(done.append, range(20))
        assert len(done) == 20
        end.set()
        held.result()


def test_what_any_thread_raises_is_raised_once_no_one_works_any_more():
    for failing in range(2):
        team, together, working = Team(2), threading.Barrier(2, timeout=10), [0]

        def work(part, together=together, working=working, failing=failing):
            working[0] += 1
            if part < 2:
                together.wait()
            working[0] -= 1
            if part == failing:
                raise ValueError(f"part {part}")

        with pytest.raises(ValueError, match=f"part {failing}"):
            team.share(work, range(10))
        assert working == [0]
        done = []
        team.share(done.append, range(5))
        assert sorted(done) == list(range(5))


def test_callers_share_the_helpers():
    team = Team(2)
    with ThreadPoolExecutor(4) as callers:
        results = [[] for _ in range(40)]
        list(callers.map(lambda result: team.share(result.append, range(25)), results))
    assert [sorted(result) for result in results] == [list(range(25))] * 40
