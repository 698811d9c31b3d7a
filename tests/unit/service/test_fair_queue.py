import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faced_service import fair_queue
from faced_service.fair_queue import Entry, FairQueue, Flow


@pytest.fixture
def loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def entry(loop, item, *, key="k", size=1, cost=1.0, deadline=None):
    return Entry(item, key, size, deadline, 0.0, loop.create_future(), cost)


def fill(queue, loop, flow, count, **options):
    for _ in range(count):
        queue.add(flow, entry(loop, flow, **options))


def served(queue, cost_limit):
    """What each flow got until so much was done, one item a turn."""
    got = Counter()
    while got.total() < cost_limit and (first := queue.first()) is not None:
        (taken,) = queue.take(first.key, 1)
        got[taken.item] += taken.cost
    return got


def test_callers_share_equally_however_many_flows_they_have(loop):
    queue = FairQueue()
    for number in range(16):
        fill(queue, loop, Flow("many", str(number)), 50)
    fill(queue, loop, Flow("one", "0"), 200)
    got = served(queue, 200)
    assert got[Flow("one", "0")] == pytest.approx(100, abs=1)
    assert {got[Flow("many", str(number))] for number in range(16)} <= {6, 7}


def test_shares_are_of_cost_not_of_items(loop):
    queue = FairQueue()
    fill(queue, loop, Flow("large"), 100, cost=27.0)
    fill(queue, loop, Flow("small"), 1000, cost=1.0)
    got = served(queue, 540)
    assert got[Flow("small")] == pytest.approx(270, abs=27)


def test_who_sends_one_at_a_time_has_its_share_too(loop):
    """As live streams do: their queue is empty between two frames, and debts must not be forgotten there."""
    queue, got = FairQueue(), Counter()
    flows = {Flow("large"): 27.0, Flow("small"): 1.0}
    for flow, cost in flows.items():
        queue.add(flow, entry(loop, flow, cost=cost))
    while got.total() < 2000:
        (taken,) = queue.take(queue.first().key, 1)
        got[taken.item] += taken.cost
        queue.add(taken.item, entry(loop, taken.item, cost=flows[taken.item]))
    assert got[Flow("small")] == pytest.approx(1000, abs=27)


def test_who_was_away_does_not_catch_up(loop):
    queue = FairQueue()
    fill(queue, loop, Flow("early"), 100)
    served(queue, 50)
    fill(queue, loop, Flow("late"), 100)
    got = served(queue, 40)
    assert got[Flow("late")] == pytest.approx(20, abs=1)


def test_nothing_is_kept_of_flows_that_are_gone(loop):
    queue = FairQueue()
    for number in range(100):
        fill(queue, loop, Flow(f"caller {number}", "x"), 2)
        served(queue, 1000)
    fill(queue, loop, Flow("a"), 3)
    fill(queue, loop, Flow("b"), 3)
    served(queue, 1000)
    assert len(queue) == 0
    assert len(queue._parts) <= 2
    assert len(queue._callers._until) <= 2


def test_a_key_that_others_do_not_share_is_not_starved(loop):
    queue = FairQueue()
    fill(queue, loop, Flow("a"), 50, key="common")
    fill(queue, loop, Flow("b"), 50, key="common")
    fill(queue, loop, Flow("c"), 2, key="rare")
    turns = []
    for _ in range(6):
        batch = list(queue.take(queue.first().key, 8))
        turns.append((batch[0].key, len(batch)))
    assert turns.count(("rare", 2)) == 1
    assert turns.index(("rare", 2)) <= 1


@settings(max_examples=200, deadline=None)
@given(
    adds=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.sampled_from("kl"), st.integers(1, 4))),
    max_size=st.integers(1, 6),
)
def test_everything_comes_out_once_in_order_and_batches_keep_their_bounds(adds, max_size):
    loop = asyncio.new_event_loop()
    queue, order = FairQueue(), {}
    for number, (caller, part, key, size) in enumerate(adds):
        queue.add(Flow(caller, part), entry(loop, (caller, part, number), key=key, size=size, cost=size))
        order.setdefault((caller, part, key), []).append(number)
    out = {}
    while (first := queue.first()) is not None:
        batch = list(queue.take(first.key, max_size))
        assert {taken.key for taken in batch} == {first.key}
        assert len(batch) == 1 or sum(taken.size for taken in batch) <= max_size
        assert first in batch
        for taken in batch:
            caller, part, number = taken.item
            out.setdefault((caller, part, taken.key), []).append(number)
    assert out == order
    assert len(queue) == 0
    loop.close()


def test_a_crowd_is_many_of_whom_everyone_has_more_than_one(loop, monkeypatch):
    now = 100.0
    monkeypatch.setattr(fair_queue, "monotonic", lambda: now)
    queue = FairQueue()
    fill(queue, loop, Flow("many"), 7)
    assert queue.crowded(7)
    assert not queue.crowded(8)
    fill(queue, loop, Flow("one"), 1)
    assert served(queue, 2) == {Flow("many"): 1, Flow("one"): 1}
    # It comes again.
    assert not queue.crowded(6)
    now += 0.9
    assert not queue.crowded(6)
    now += 0.2
    assert queue.crowded(6)
    queue.reserve(Flow("live"))
    assert not queue.crowded(6)
    queue.unreserve(Flow("live"))
    assert queue.crowded(6)
