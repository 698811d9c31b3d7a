import asyncio
import threading
import time

import pytest

from faced_service import fair_queue
from faced_service.batcher import NO_CROWD, Batcher, Closed, Crowd, QueueFull, Served
from faced_service.fair_queue import Expired, Flow
from faced_service.work_thread import Hung


class Work:
    """Doubles numbers; `gate` holds the thread back, `calls` are the batches it saw."""

    def __init__(self):
        self.calls = []
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()

    def __call__(self, key, items):
        self.calls.append((key, list(items)))
        self.begun.set()
        self.gate.wait(10)
        if any(item == "poison" for item in items):
            raise ArithmeticError("poisoned")
        return [item * 2 for item in items]

    @property
    def seen(self):
        return [item for _, items in self.calls for item in items]


def batcher(work, *, max_batch=4, max_wait=0.0, queue_limit=100, runs=1, crowd=NO_CROWD):
    return Batcher(
        "test", work, max_batch=max_batch, max_wait=max_wait, queue_limit=queue_limit, runs=runs, crowd=crowd
    )


async def settle():
    for _ in range(20):
        await asyncio.sleep(0.001)


async def hold(subject, work):
    """Occupies the thread, so that what is submitted next waits."""
    work.gate.clear()
    task = asyncio.create_task(subject.submit(0, key="hold", flow=Flow("holder")))
    await asyncio.to_thread(work.begun.wait, 10)
    return task


def submit_all(subject, items, **options):
    return [asyncio.create_task(subject.submit(item, key="k", **options)) for item in items]


def test_every_item_gets_its_own_result():
    async def scenario():
        subject = batcher(Work())
        results = await asyncio.gather(*submit_all(subject, range(50)))
        assert [served.value for served in results] == [2 * i for i in range(50)]
        await subject.close(drain=True)

    asyncio.run(scenario())


def test_waiting_items_of_one_key_share_batches_of_the_allowed_size():
    async def scenario():
        work = Work()
        subject = batcher(work)
        first = await hold(subject, work)
        tasks = submit_all(subject, range(1, 11))
        other = asyncio.create_task(subject.submit(99, key="other"))
        await settle()
        work.gate.set()
        await asyncio.gather(first, other, *tasks)
        assert [len(items) for key, items in work.calls if key == "k"] == [4, 4, 2]
        assert [key for key, _ in work.calls].count("other") == 1
        assert sorted(work.seen) == [0, *range(1, 11), 99]

    asyncio.run(scenario())


def test_sizes_count_towards_the_batch_and_an_oversized_item_goes_alone():
    async def scenario():
        work = Work()
        subject = batcher(work)
        first = await hold(subject, work)
        tasks = [
            asyncio.create_task(subject.submit(i, key="k", size=size))
            for i, size in enumerate([3, 2, 2, 9, 1], start=1)
        ]
        await settle()
        work.gate.set()
        await asyncio.gather(first, *tasks)
        assert [items for key, items in work.calls if key == "k"] == [[1], [2, 3], [4], [5]]

    asyncio.run(scenario())


def test_a_batch_waits_for_company_no_longer_than_allowed():
    async def scenario():
        work = Work()
        subject = batcher(work, max_batch=3, max_wait=0.15)
        begin = time.monotonic()
        await subject.submit(1, key="k")
        alone = time.monotonic() - begin
        begin = time.monotonic()
        await asyncio.gather(*submit_all(subject, [1, 2, 3]))
        full = time.monotonic() - begin
        assert 0.14 <= alone < 0.6
        assert full < 0.1
        assert [len(items) for _, items in work.calls] == [1, 3]

    asyncio.run(scenario())


def test_a_full_queue_refuses_at_once():
    async def scenario():
        work = Work()
        subject = batcher(work, queue_limit=3)
        first = await hold(subject, work)
        tasks = submit_all(subject, [1, 2, 3])
        await settle()
        begin = time.monotonic()
        with pytest.raises(QueueFull, match="3 items"):
            await subject.submit(4, key="k")
        assert time.monotonic() - begin < 0.02
        work.gate.set()
        await asyncio.gather(first, *tasks)
        assert (await subject.submit(5, key="k")).value == 10

    asyncio.run(scenario())


def test_expired_items_are_refused_at_admission_and_never_computed():
    async def scenario():
        work = Work()
        subject = batcher(work)
        with pytest.raises(Expired):
            await subject.submit(1, key="k", deadline=time.monotonic() - 0.001)
        assert work.calls == []

    asyncio.run(scenario())


def test_items_that_expire_or_are_cancelled_in_the_queue_are_never_computed():
    async def scenario():
        work = Work()
        subject = batcher(work)
        first = await hold(subject, work)
        late = asyncio.create_task(subject.submit(1, key="k", deadline=time.monotonic() + 0.02))
        gone = asyncio.create_task(subject.submit(2, key="k"))
        kept = asyncio.create_task(subject.submit(3, key="k"))
        await settle()
        gone.cancel()
        await asyncio.sleep(0.03)
        assert len(subject) == 2
        work.gate.set()
        await asyncio.gather(first, kept)
        with pytest.raises(Expired):
            await late
        assert work.seen == [0, 3]

    asyncio.run(scenario())


def test_items_that_expire_or_are_cancelled_while_their_batch_forms_are_never_computed():
    async def scenario():
        work = Work()
        subject = batcher(work, max_batch=3, max_wait=0.1)
        late = asyncio.create_task(subject.submit(1, key="k", deadline=time.monotonic() + 0.03))
        gone = asyncio.create_task(subject.submit(2, key="k"))
        await asyncio.sleep(0.01)
        gone.cancel()
        await asyncio.sleep(0.04)
        kept = submit_all(subject, [3, 4])
        await asyncio.gather(*kept)
        with pytest.raises(Expired):
            await late
        assert sorted(work.seen) == [3, 4]

    asyncio.run(scenario())


def test_a_poisoned_item_fails_alone():
    async def scenario():
        work = Work()
        subject = batcher(work, max_batch=8)
        first = await hold(subject, work)
        tasks = submit_all(subject, [1, 2, 3, "poison", 5, 6, 7, 8])
        await settle()
        work.gate.set()
        results = await asyncio.gather(first, *tasks, return_exceptions=True)
        assert [type(result) for result in results].count(ArithmeticError) == 1
        assert isinstance(results[4], ArithmeticError)
        assert [r.value for r in results if not isinstance(r, Exception)] == [0, 2, 4, 6, 10, 12, 14, 16]
        assert (await subject.submit(9, key="k")).value == 18

    asyncio.run(scenario())


def test_work_that_loses_results_fails_its_items():
    async def scenario():
        subject = Batcher("test", lambda key, items: [], max_batch=2, max_wait=0, queue_limit=2)
        with pytest.raises(ValueError, match="zip"):
            await subject.submit(1, key="k")

    asyncio.run(scenario())


def test_a_caller_that_floods_does_not_delay_the_others():
    async def scenario():
        work = Work()
        subject = batcher(work, max_batch=1)
        first = await hold(subject, work)
        flood = submit_all(subject, ["f"] * 30, flow=Flow("flood"))
        await settle()
        calm = submit_all(subject, ["a"] * 3, flow=Flow("a")) + submit_all(subject, ["b"] * 3, flow=Flow("b"))
        await settle()
        work.gate.set()
        await asyncio.gather(first, *flood, *calm)
        assert "".join(work.seen[1:10]) == "fabfabfab"

    asyncio.run(scenario())


def test_fairness_holds_within_batches_too():
    async def scenario():
        work = Work()
        subject = batcher(work, max_batch=3)
        first = await hold(subject, work)
        flood = submit_all(subject, ["f"] * 9, flow=Flow("flood"))
        calm = submit_all(subject, ["a"] * 3, flow=Flow("a"))
        await settle()
        work.gate.set()
        await asyncio.gather(first, *flood, *calm)
        assert ["".join(items) for _, items in work.calls[1:]] == ["faf", "afa", "fff", "fff"]

    asyncio.run(scenario())


def test_the_wait_and_the_work_are_measured():
    async def scenario():
        work = Work()
        subject = batcher(work)
        first = await hold(subject, work)
        second = asyncio.create_task(subject.submit(1, key="k"))
        await asyncio.sleep(0.1)
        work.gate.set()
        held, waited = await asyncio.gather(first, second)
        assert held.waited < 0.05
        assert 0.09 < held.worked < 0.5
        assert 0.09 < waited.waited < 0.5
        assert waited.worked < 0.05

    asyncio.run(scenario())


def test_closing_drains():
    async def scenario():
        work = Work()
        subject = batcher(work, max_batch=2, max_wait=5.0)
        tasks = submit_all(subject, range(5))
        await settle()
        begin = time.monotonic()
        await subject.close(drain=True)
        assert time.monotonic() - begin < 1.0
        assert [served.value for served in await asyncio.gather(*tasks)] == [0, 2, 4, 6, 8]
        with pytest.raises(Closed):
            await subject.submit(1, key="k")
        await subject.close(drain=True)

    asyncio.run(scenario())


def test_closing_without_draining_fails_the_rest_but_not_what_runs():
    async def scenario():
        work = Work()
        subject = batcher(work)
        first = await hold(subject, work)
        tasks = submit_all(subject, [1, 2, 3])
        await settle()
        closing = asyncio.create_task(subject.close(drain=False))
        await settle()
        work.gate.set()
        await closing
        results = await asyncio.gather(first, *tasks, return_exceptions=True)
        assert results[0].value == 0
        assert [type(result) for result in results[1:]] == [Closed] * 3
        assert work.seen == [0]

    asyncio.run(scenario())


def test_an_idle_batcher_costs_no_wakeups():
    async def scenario():
        work = Work()
        subject = batcher(work)
        await subject.submit(1, key="k")
        loop = asyncio.get_running_loop()
        begin, calls = time.process_time(), loop.time()
        await asyncio.sleep(0.3)
        assert loop.time() - calls >= 0.3
        assert time.process_time() - begin < 0.05

    asyncio.run(scenario())


def test_work_that_hangs_fails_its_items_and_closes_the_batcher():
    async def scenario():
        work, hung = Work(), []
        subject = Batcher("test", work, max_batch=2, max_wait=0, queue_limit=100, run_timeout=0.2, on_hang=hung.append)
        work.gate.clear()
        begin = time.monotonic()
        first = asyncio.create_task(subject.submit(1, key="k"))
        await asyncio.to_thread(work.begun.wait, 10)
        waiting = [asyncio.create_task(subject.submit(n, key="k")) for n in (2, 3)]
        results = await asyncio.gather(first, *waiting, return_exceptions=True)
        assert 0.15 < time.monotonic() - begin < 2
        assert [type(result) for result in results] == [Hung, Closed, Closed]
        assert str(results[0]) == "test did not end within 0.2 s"
        assert hung == ["test"]
        with pytest.raises(Closed):
            await subject.submit(4, key="k")
        await subject.close(drain=True)
        assert work.seen == [1]
        work.gate.set()

    asyncio.run(scenario())


def test_so_many_batches_go_on_at_once_and_each_item_has_its_own_result():
    async def scenario():
        work = Work()
        subject = batcher(work, max_batch=1, runs=2)
        work.gate.clear()
        tasks = submit_all(subject, range(20))
        await settle()
        assert sorted(work.seen) == [0, 1]
        assert len(subject) == 18
        work.gate.set()
        assert [served.value for served in await asyncio.gather(*tasks)] == [2 * i for i in range(20)]
        # Nothing is lost between two that wait for the next item.
        for number in range(50):
            assert (await asyncio.wait_for(subject.submit(number, key="k"), 5)).value == 2 * number
        await subject.close(drain=True)

    asyncio.run(scenario())


def test_what_is_under_way_and_what_waits_is_done_before_a_drained_batcher_closes():
    async def scenario():
        work = Work()
        subject = batcher(work, max_batch=1, runs=2)
        work.gate.clear()
        tasks = submit_all(subject, range(5))
        await settle()
        closing = asyncio.create_task(subject.close(drain=True))
        await settle()
        assert not closing.done()
        work.gate.set()
        await closing
        assert sorted(served.value for served in await asyncio.gather(*tasks)) == [0, 2, 4, 6, 8]

    asyncio.run(scenario())


def alone_for(monkeypatch, seconds):
    monkeypatch.setattr(fair_queue, "_ALONE_S", seconds)


@pytest.mark.parametrize(
    ("waiting", "cost", "at_once"),
    [(5, 1.0, 2), (4, 1.0, 1), (5, 2.0, 1)],
    ids=["a crowd", "too few", "too large"],
)
def test_more_go_on_at_once_in_a_crowd_of_what_is_small(monkeypatch, waiting, cost, at_once):
    alone_for(monkeypatch, 0.0)

    async def scenario():
        work = Work()
        subject = batcher(work, max_batch=1, crowd=Crowd(2, items=5, cost=1.0))
        work.gate.clear()
        tasks = submit_all(subject, range(1 + waiting), cost=cost)
        await settle()
        assert len(work.seen) == at_once
        work.gate.set()
        assert [served.value for served in await asyncio.gather(*tasks)] == [2 * i for i in range(1 + waiting)]
        await subject.close(drain=True)

    asyncio.run(scenario())


def test_what_becomes_a_crowd_without_an_arrival_is_one(monkeypatch):
    alone_for(monkeypatch, 0.2)

    async def scenario():
        work = Work()
        subject = batcher(work, max_batch=1, crowd=Crowd(2, items=5, cost=1.0))
        work.gate.clear()
        # The first one is taken as it comes, with none behind it.
        first = asyncio.create_task(subject.submit(0, key="k"))
        await settle()
        others = submit_all(subject, range(1, 9))
        await settle()
        assert work.seen == [0]
        await asyncio.sleep(0.2)
        work.begun.clear()
        gate, work.gate = work.gate, threading.Event()
        gate.set()
        await first
        await settle()
        assert sorted(work.seen) == [0, 1, 2]
        work.gate.set()
        await asyncio.gather(*others)
        await subject.close(drain=True)

    asyncio.run(scenario())


@pytest.mark.parametrize("drain", [True, False])
def test_places_that_only_a_crowd_fills_end_with_the_others(drain):
    async def scenario():
        subject = batcher(Work(), max_batch=1, crowd=Crowd(3, items=5, cost=1.0))
        tasks = submit_all(subject, range(3))
        await settle()
        await asyncio.wait_for(subject.close(drain=drain), 5)
        assert [served.value for served in await asyncio.gather(*tasks)] == [0, 2, 4]

    asyncio.run(scenario())


def test_who_sends_one_at_a_time_gets_half_beside_a_crowd_of_another(monkeypatch):
    alone_for(monkeypatch, 0.3)

    async def scenario():
        lock, going, most = threading.Lock(), 0, 0

        def work(_key, items):
            nonlocal going, most
            with lock:
                going += 1
                most = max(most, going)
            time.sleep(0.01)
            with lock:
                going -= 1
            return items

        subject = batcher(work, max_batch=1, crowd=Crowd(2, items=10, cost=1.0))
        counts, ended = {"flood": 0, "one": 0}, False

        async def call(name):
            while not ended:
                await subject.submit(name, key="k", flow=Flow(name))
                counts[name] += 1

        flood = [asyncio.create_task(call("flood")) for _ in range(20)]
        await asyncio.sleep(0.6)
        assert most == 2
        one = asyncio.create_task(call("one"))
        await asyncio.sleep(0.1)
        before = dict(counts)
        await asyncio.sleep(1.5)
        got = {name: counts[name] - before[name] for name in counts}
        ended = True
        await asyncio.gather(one, *flood)
        await subject.close(drain=True)
        assert got["one"] > 0.4 * sum(got.values()), got

    asyncio.run(scenario())


def test_a_run_beside_one_that_hangs_is_finished():
    async def scenario():
        gate, hung = threading.Event(), []

        def work(_key, items):
            if items == ["hangs"]:
                gate.wait(10)
            time.sleep(0.3)
            return items

        subject = Batcher(
            "t", work, max_batch=1, max_wait=0, queue_limit=9, runs=2, run_timeout=0.4, on_hang=hung.append
        )
        first, *others = submit_all(subject, ["hangs", 1, 2, 3])
        results = await asyncio.gather(first, *others, return_exceptions=True)
        assert [type(result) for result in results] == [Hung, Served, Served, Closed]
        await subject.close(drain=True)
        assert hung == ["t"]
        gate.set()

    asyncio.run(scenario())


def test_work_within_the_limit_is_no_hang():
    async def scenario():
        hung = []
        subject = Batcher("test", Work(), max_batch=2, max_wait=0, queue_limit=9, run_timeout=5, on_hang=hung.append)
        assert (await subject.submit(2, key="k")).value == 4
        await subject.close(drain=True)
        assert hung == []

    asyncio.run(scenario())
