"""Single items in, batches to the work: a bounded queue, fair between callers, that computes nothing nobody waits for.

One asyncio task collects, one thread works; items with equal keys share a batch. All but the work happens on the event
loop, so there are no locks. Times are monotonic, in seconds.
"""

# ruff: noqa: N818 - exceptions named by what happened
from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import Generic, TypeVar

from faced_service.fair_queue import NOBODY, Entry, Expired, FairQueue, Flow, Item, Key
from faced_service.turns import Turn, Turns
from faced_service.work_thread import Hung, WorkThread

Result = TypeVar("Result")
Work = Callable[[Key, Sequence[Item]], Sequence[Result]]


class QueueFull(Exception):
    """The queue holds as many items as it may."""


class Closed(Exception):
    """The batcher takes no more items, or ended before this one's turn."""


@dataclass(frozen=True, slots=True)
class Served(Generic[Result]):
    """A result, the seconds that its item waited, and those that its batch took."""

    value: Result
    waited: float
    worked: float


@dataclass(frozen=True, slots=True)
class Crowd:
    """What makes more runs go on at once: so many items wait, and the next one costs no more than `cost`.

    Two at once do more in a second, and each takes longer: with few that wait, everyone would wait longer. Who comes
    back only when it was answered would find all places taken by those who need not; while one such is there, it is no
    crowd.
    """

    runs: int
    items: int
    cost: float


NO_CROWD = Crowd(runs=0, items=0, cost=0.0)


class Batcher(Generic[Item, Key, Result]):
    """Calls `work(key, items)`, which returns one result for each item, in order.

    `max_batch` counts the items' sizes; an item that alone is larger goes alone. A batch begins when it is full or
    its first item is `max_wait` old; up to `runs` go on at once, in a `crowd` more, each in a thread of its own. When
    the work raises, the batch is halved until only the items that make it raise are left; these get the exception.
    Work that takes longer than `run_timeout` cannot be ended: its items get `Hung`, `on_hang` is told the batcher's
    name, and the batcher is closed. `on_batch` is told the name, the size and the seconds that each item or its turn
    was waited for, as a batch begins.
    """

    def __init__(
        self,
        name: str,
        work: Work[Key, Item, Result],
        *,
        max_batch: int,
        max_wait: float,
        queue_limit: int,
        runs: int = 1,
        crowd: Crowd = NO_CROWD,
        run_timeout: float | None = None,
        on_hang: Callable[[str], None] = lambda _name: None,
        on_batch: Callable[[str, int, Sequence[float]], None] = lambda _name, _size, _waits: None,
    ) -> None:
        self._name, self._work = name, work
        self._max_batch, self._max_wait, self._queue_limit = max_batch, max_wait, queue_limit
        self._run_timeout, self._on_hang, self._on_batch = run_timeout, on_hang, on_batch
        self._queue: FairQueue[Item, Key, Served[Result]] = FairQueue()
        self._turns = Turns(self._queue, most=max_batch)
        self._arrival, self._closing = asyncio.Event(), False
        self._collectors: list[asyncio.Task[None]] = []
        self._runs, self._crowd = runs, crowd
        self._threads = [WorkThread(name) for _ in range(max(runs, crowd.runs))]

    def __len__(self) -> int:
        """Items and turns that are waited for."""
        return len(self._queue) + len(self._turns)

    async def turn(self, flow: Flow) -> Turn:
        """Waits until an item of `flow`, which is made now, would be next. The turn must be ended.

        So an item can be made of what is newest, instead of growing old in the queue.
        """
        return await self._turns.turn(flow)

    async def submit(
        self,
        item: Item,
        *,
        key: Key,
        flow: Flow = NOBODY,
        deadline: float | None = None,
        size: int = 1,
        cost: float = 1.0,
        turn: Turn | None = None,
    ) -> Served[Result]:
        """Waits for the item's result. Cancelling the wait takes the item out of the queue.

        `cost` is what fairness between flows goes by, in any unit; `turn` is that of the item, which ends here when its
        work begins.

        Raises:
            QueueFull: at once.
            Expired: `deadline` passed before the work began.
            Closed: the batcher closed before the item's turn.
            Hung: the work did not end within `run_timeout`.
            Exception: what the work raised for this item.
        """
        if self._closing:
            raise Closed(self._name)
        if deadline is not None and deadline <= monotonic():
            raise Expired
        if len(self._queue) >= self._queue_limit:
            raise QueueFull(f"{self._name}: {self._queue_limit} items are waiting")
        if not self._collectors:
            self._collectors = [
                asyncio.create_task(self._collect(thread, in_crowds_only=number >= self._runs), name=self._name)
                for number, thread in enumerate(self._threads)
            ]
        future: asyncio.Future[Served[Result]] = asyncio.get_running_loop().create_future()
        entry = Entry(item, key, size, deadline, monotonic(), future, cost)
        if turn is not None:
            entry = replace(entry, flow_since=turn.since, on_begin=turn.end)
        self._queue.add(flow, entry)
        if turn is not None:
            turn.queued()
        self._arrival.set()
        try:
            return await future
        except asyncio.CancelledError:
            self._queue.discard(flow, entry)
            raise

    async def prepare(self, function: Callable[[], None]) -> None:
        """Runs `function` in a thread of the work: what it allocates there, the work finds again."""
        await self._threads[0].run(function)

    async def close(self, *, drain: bool) -> None:
        """Takes no more items; does the waiting ones first if `drain`, else fails them. Idempotent."""
        self._closing = True
        self._turns.close()
        if not drain:
            self._fail(self._queue, Closed(self._name))
        self._arrival.set()
        await asyncio.gather(*self._collectors)
        for thread in self._threads:
            thread.close()

    async def _collect(self, thread: WorkThread, *, in_crowds_only: bool) -> None:
        while True:
            self._arrival.clear()
            first = self._queue.first()
            if first is None:
                if self._closing:
                    return
                await self._arrival.wait()
            elif in_crowds_only and not (self._closing or self._is_crowd(first)):
                await self._arrival.wait()
            elif (patience := self._patience(first)) > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._arrival.wait(), patience)
            else:
                await self._run(thread, list(self._queue.take(first.key, self._max_batch)))
                # What waits may have become a crowd without an arrival.
                self._arrival.set()

    def _is_crowd(self, first: Entry[Item, Key, Served[Result]]) -> bool:
        return first.cost <= self._crowd.cost and self._queue.crowded(self._crowd.items)

    def _patience(self, first: Entry[Item, Key, Served[Result]]) -> float:
        """Seconds that the batch of `first` may still wait for more items."""
        if self._closing or sum(entry.size for entry in self._queue if entry.key == first.key) >= self._max_batch:
            return 0.0
        return first.since + self._max_wait - monotonic()

    async def _run(self, thread: WorkThread, batch: Sequence[Entry[Item, Key, Served[Result]]]) -> None:
        if thread.hung:
            self._fail(batch, Closed(self._name))
        if not (batch := [entry for entry in batch if entry.wanted()]):
            return
        begin, items = monotonic(), [entry.item for entry in batch]
        self._on_batch(
            self._name,
            sum(entry.size for entry in batch),
            [begin - (entry.flow_since or entry.since) for entry in batch],
        )
        self._turns.run_began()
        for entry in batch:
            if entry.on_begin is not None:
                entry.on_begin()
        try:
            results = await thread.run(partial(self._work, batch[0].key, items), self._run_timeout)
            self._turns.run_ended(monotonic() - begin)
            pairs = list(zip(batch, results, strict=True))
        except Hung as error:
            self._closing = True
            self._turns.close()
            self._fail(batch, error)
            self._fail(self._queue, Closed(self._name))
            self._on_hang(self._name)
            return
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the item
            self._turns.run_ended(monotonic() - begin)
            if len(batch) > 1:
                await self._run(thread, batch[: len(batch) // 2])
                await self._run(thread, batch[len(batch) // 2 :])
            else:
                self._fail(batch, error)
            return
        worked = monotonic() - begin
        for entry, result in pairs:
            if not entry.future.done():
                entry.future.set_result(Served(result, begin - entry.since, worked))

    def _fail(self, entries: Iterable[Entry[Item, Key, Served[Result]]], error: Exception) -> None:
        for entry in entries:
            if entry.wanted():
                entry.future.set_exception(error)
