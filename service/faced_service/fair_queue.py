"""What waits for a batcher: first come, first served within a caller, and callers in turns."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import chain
from time import monotonic
from typing import Generic, TypeVar

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Expired(Exception):  # noqa: N818 - named by what happened
    """The item's deadline passed before its work began."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry(Generic[Item, Key, Value]):
    """An item that waits since `since` for its work to begin by `deadline` (monotonic, seconds)."""

    item: Item
    key: Key
    size: int
    deadline: float | None
    since: float
    future: asyncio.Future[Value]

    def wanted(self) -> bool:
        """Whether somebody still waits; an item that is too late is told so here."""
        if not self.future.done() and self.deadline is not None and self.deadline <= monotonic():
            self.future.set_exception(Expired())
        return not self.future.done()


class FairQueue(Generic[Item, Key, Value]):
    """Entries by caller; all on one event loop."""

    def __init__(self) -> None:
        # Callers in the order of their turns, none of them without entries.
        self._queues: OrderedDict[Hashable, deque[Entry[Item, Key, Value]]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def __iter__(self) -> Iterator[Entry[Item, Key, Value]]:
        return chain.from_iterable(self._queues.values())

    def add(self, caller: Hashable, entry: Entry[Item, Key, Value]) -> None:
        """The entry is its caller's last."""
        self._queues.setdefault(caller, deque()).append(entry)

    def discard(self, caller: Hashable, entry: Entry[Item, Key, Value]) -> None:
        """Take an entry out, if it is still in."""
        queue = self._queues.get(caller)
        if queue is not None and entry in queue:
            queue.remove(entry)
            if not queue:
                del self._queues[caller]

    def first(self) -> Entry[Item, Key, Value] | None:
        """The oldest wanted entry of the caller whose turn it is; entries nobody wants are dropped."""
        while self._queues:
            caller, queue = next(iter(self._queues.items()))
            if queue[0].wanted():
                return queue[0]
            self.discard(caller, queue[0])
        return None

    def take(self, key: Key, max_size: int) -> Iterator[Entry[Item, Key, Value]]:
        """Takes a batch out: one entry of each caller in turn, until their sizes are `max_size` or none is left."""
        taken, turns = 0, deque(self._queues)
        while turns:
            caller = turns.popleft()
            entry = next((entry for entry in self._queues.get(caller, ()) if entry.key == key), None)
            if entry is None:
                continue
            if taken and taken + entry.size > max_size:
                return
            self.discard(caller, entry)
            turns.append(caller)
            if entry.wanted():
                taken += entry.size
                if caller in self._queues:
                    self._queues.move_to_end(caller)
                yield entry
