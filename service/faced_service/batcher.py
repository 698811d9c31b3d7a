"""Single items in, batches to the work: a bounded queue, fair between callers, that computes nothing nobody waits for.

One asyncio task collects, one thread works; items with equal keys share a batch. All but the work happens on the event
loop, so there are no locks. Times are monotonic, in seconds.
"""

# ruff: noqa: N818 - exceptions named by what happened
from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from time import monotonic
from typing import Generic, TypeVar

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")
Work = Callable[[Key, Sequence[Item]], Sequence[Result]]


class QueueFull(Exception):
    """The queue holds as many items as it may."""


class Expired(Exception):
    """The item's deadline passed before its work began."""


class Closed(Exception):
    """The batcher takes no more items, or ended before this one's turn."""


@dataclass(frozen=True, slots=True)
class Served(Generic[Result]):
    """A result, the seconds that its item waited, and those that its batch took."""

    value: Result
    waited: float
    worked: float


@dataclass(frozen=True, slots=True, eq=False)
class _Entry(Generic[Item, Key, Result]):
    item: Item
    key: Key
    size: int
    deadline: float | None
    since: float
    future: asyncio.Future[Served[Result]]

    def wanted(self) -> bool:
        """Whether somebody still waits; an item that is too late is told so here."""
        if not self.future.done() and self.deadline is not None and self.deadline <= monotonic():
            self.future.set_exception(Expired())
        return not self.future.done()


class Batcher(Generic[Item, Key, Result]):
    """Calls `work(key, items)`, which returns one result for each item, in order.

    `max_batch` counts the items' sizes; an item that alone is larger goes alone. A batch begins when it is full or
    its first item is `max_wait` old. When the work raises, the batch is halved until only the items that make it
    raise are left; these get the exception.
    """

    def __init__(
        self, name: str, work: Work[Key, Item, Result], *, max_batch: int, max_wait: float, queue_limit: int
    ) -> None:
        self._name, self._work = name, work
        self._max_batch, self._max_wait, self._queue_limit = max_batch, max_wait, queue_limit
        # Callers in the order of their turns, none of them without entries.
        self._queues: OrderedDict[Hashable, deque[_Entry[Item, Key, Result]]] = OrderedDict()
        self._arrival, self._closing = asyncio.Event(), False
        self._collector: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    async def submit(
        self, item: Item, *, key: Key, caller: Hashable = None, deadline: float | None = None, size: int = 1
    ) -> Served[Result]:
        """Waits for the item's result. Cancelling the wait takes the item out of the queue.

        Raises:
            QueueFull: at once.
            Expired: `deadline` passed before the work began.
            Closed: the batcher closed before the item's turn.
            Exception: what the work raised for this item.
        """
        if self._closing:
            raise Closed(self._name)
        if deadline is not None and deadline <= monotonic():
            raise Expired
        if len(self) >= self._queue_limit:
            raise QueueFull(f"{self._name}: {self._queue_limit} items are waiting")
        if self._collector is None:
            self._collector = asyncio.create_task(self._collect(), name=self._name)
        entry = _Entry(item, key, size, deadline, monotonic(), asyncio.get_running_loop().create_future())
        self._queues.setdefault(caller, deque()).append(entry)
        self._arrival.set()
        try:
            return await entry.future
        except asyncio.CancelledError:
            self._discard(caller, entry)
            raise

    async def prepare(self, function: Callable[[], None]) -> None:
        """Runs `function` in the worker's thread: what it allocates there, the work finds again."""
        await asyncio.get_running_loop().run_in_executor(self._thread, function)

    async def close(self, *, drain: bool) -> None:
        """Takes no more items; does the waiting ones first if `drain`, else fails them. Idempotent."""
        self._closing = True
        for entry in () if drain else chain.from_iterable(self._queues.values()):
            if entry.wanted():
                entry.future.set_exception(Closed(self._name))
        self._arrival.set()
        if self._collector is not None:
            await self._collector
        self._thread.shutdown()

    async def _collect(self) -> None:
        while True:
            self._arrival.clear()
            first = self._first()
            if first is None:
                if self._closing:
                    return
                await self._arrival.wait()
            elif (patience := self._patience(first)) > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._arrival.wait(), patience)
            else:
                await self._run(list(self._take(first.key)))

    def _first(self) -> _Entry[Item, Key, Result] | None:
        """The oldest wanted entry of the caller whose turn it is; entries nobody wants are dropped."""
        while self._queues:
            caller, queue = next(iter(self._queues.items()))
            if queue[0].wanted():
                return queue[0]
            self._discard(caller, queue[0])
        return None

    def _patience(self, first: _Entry[Item, Key, Result]) -> float:
        """Seconds that the batch of `first` may still wait for more items."""
        entries = chain.from_iterable(self._queues.values())
        if self._closing or sum(entry.size for entry in entries if entry.key == first.key) >= self._max_batch:
            return 0.0
        return first.since + self._max_wait - monotonic()

    def _take(self, key: Key) -> Iterator[_Entry[Item, Key, Result]]:
        """Takes a batch out of the queue: one entry of each caller in turn, until it is full or none is left."""
        taken, turns = 0, deque(self._queues)
        while turns:
            caller = turns.popleft()
            entry = next((entry for entry in self._queues.get(caller, ()) if entry.key == key), None)
            if entry is None:
                continue
            if taken and taken + entry.size > self._max_batch:
                return
            self._discard(caller, entry)
            turns.append(caller)
            if entry.wanted():
                taken += entry.size
                if caller in self._queues:
                    self._queues.move_to_end(caller)
                yield entry

    def _discard(self, caller: Hashable, entry: _Entry[Item, Key, Result]) -> None:
        queue = self._queues.get(caller)
        if queue is not None and entry in queue:
            queue.remove(entry)
            if not queue:
                del self._queues[caller]

    async def _run(self, batch: Sequence[_Entry[Item, Key, Result]]) -> None:
        if not (batch := [entry for entry in batch if entry.wanted()]):
            return
        begin, items = monotonic(), [entry.item for entry in batch]
        try:
            results = await asyncio.get_running_loop().run_in_executor(self._thread, self._work, batch[0].key, items)
            pairs = list(zip(batch, results, strict=True))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the item
            if len(batch) > 1:
                await self._run(batch[: len(batch) // 2])
                await self._run(batch[len(batch) // 2 :])
            elif not batch[0].future.done():
                batch[0].future.set_exception(error)
            return
        worked = monotonic() - begin
        for entry, result in pairs:
            if not entry.future.done():
                entry.future.set_result(Served(result, begin - entry.since, worked))
