"""What waits for something scarce: first come, first served within a flow, and flows in turns.

Callers get equal shares of the work, whatever they send, and so do the flows of one caller. Shares are of cost, not of
items, so that large pictures of one take nothing from small ones of another: start-time fair queueing (Goyal, Vin and
Cheng, 1996) on two levels.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from time import monotonic
from typing import Generic, TypeVar

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Flow:
    """Whose work it is: a caller's, and of that one stream's or connection's."""

    caller: str = ""
    part: str = ""


NOBODY = Flow()

_ALONE_S = 1.0
"""A flow whose only entry was taken is expected back for so long."""


class Expired(Exception):  # noqa: N818 - named by what happened
    """The item's deadline passed before its work began."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry(Generic[Item, Key, Value]):
    """An item that waits since `since` for its work to begin by `deadline` (monotonic, seconds); `on_begin` is told.

    Its flow waits since `flow_since`, where that is longer.
    """

    item: Item
    key: Key
    size: int
    deadline: float | None
    since: float
    future: asyncio.Future[Value]
    cost: float = 1.0
    flow_since: float | None = None
    on_begin: Callable[[], None] | None = None

    def wanted(self) -> bool:
        """Whether somebody still waits; an item that is too late is told so here."""
        if not self.future.done() and self.deadline is not None and self.deadline <= monotonic():
            self.future.set_exception(Expired())
        return not self.future.done()


class FairQueue(Generic[Item, Key, Value]):
    """Entries by flow; all on one event loop."""

    def __init__(self) -> None:
        # None of them is empty.
        self._queues: dict[Flow, deque[Entry[Item, Key, Value]]] = {}
        # Flows whose next entry is still to be made.
        self._reserved: set[Flow] = set()
        self._callers = _Shares()
        self._parts: dict[str, _Shares] = {}
        self._alone_until = 0.0

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def __iter__(self) -> Iterator[Entry[Item, Key, Value]]:
        return chain.from_iterable(self._queues.values())

    def add(self, flow: Flow, entry: Entry[Item, Key, Value]) -> None:
        """The entry is its flow's last."""
        self._queues.setdefault(flow, deque()).append(entry)

    def discard(self, flow: Flow, entry: Entry[Item, Key, Value]) -> None:
        """Take an entry out, if it is still in."""
        queue = self._queues.get(flow)
        if queue is not None and entry in queue:
            queue.remove(entry)
            if not queue:
                del self._queues[flow]

    def reserve(self, flow: Flow) -> None:
        """The flow counts as one that waits."""
        self._reserved.add(flow)

    def unreserve(self, flow: Flow) -> None:
        """It counts by its entries alone."""
        self._reserved.discard(flow)

    def crowded(self, count: int) -> bool:
        """Whether at least so many entries wait, and nobody is there who has no more than one at a time."""
        return len(self) >= count and not self._reserved and monotonic() >= self._alone_until

    def turns(self) -> list[tuple[Flow, Entry[Item, Key, Value]]]:
        """The oldest entry of each flow, that whose turn it is first."""
        return [(flow, self._queues[flow][0]) for flow in sorted(self._queues, key=self.got)]

    def first(self) -> Entry[Item, Key, Value] | None:
        """The oldest wanted entry of the flow whose turn it is; entries nobody wants are dropped."""
        while self._queues:
            flow = min(self._queues, key=self.got)
            entry = self._queues[flow][0]
            if entry.wanted():
                return entry
            self.discard(flow, entry)
        return None

    def pick(self, flow: Flow, entry: Entry[Item, Key, Value]) -> None:
        """Take an entry out because it is its turn."""
        self.discard(flow, entry)
        if flow not in self._queues:
            self._alone_until = monotonic() + _ALONE_S
        self._charge(flow, entry.cost)

    def take(self, key: Key, max_size: int) -> Iterator[Entry[Item, Key, Value]]:
        """Takes a batch out: entries of the flows in their turns, until their sizes are `max_size` or none is left."""
        taken = 0
        while nexts := {
            flow: entry
            for flow, queue in self._queues.items()
            if (entry := next((entry for entry in queue if entry.key == key), None)) is not None
        }:
            flow = min(nexts, key=self.got)
            entry = nexts[flow]
            if taken and taken + entry.size > max_size:
                return
            if not entry.wanted():
                self.discard(flow, entry)
                continue
            self.pick(flow, entry)
            taken += entry.size
            yield entry

    def got(self, flow: Flow) -> tuple[float, float]:
        """What decides whose turn it is: the least."""
        parts = self._parts.get(flow.caller)
        return self._callers.got(flow.caller), 0.0 if parts is None else parts.got(flow.part)

    def _charge(self, flow: Flow, cost: float) -> None:
        flows = self._queues.keys() | self._reserved
        waiting = {other.caller for other in flows}
        self._callers.charge(flow.caller, cost, waiting)
        parts = self._parts.setdefault(flow.caller, _Shares())
        parts.charge(flow.part, cost, [other.part for other in flows if other.caller == flow.caller])
        self._parts = {
            caller: parts for caller, parts in self._parts.items() if caller in waiting or self._callers.owes(caller)
        }


class _Shares:
    """What each of several got, in a time that goes on with what they get: who was away does not catch up."""

    def __init__(self) -> None:
        self._now = 0.0
        self._until: dict[str, float] = {}

    def got(self, name: str) -> float:
        """What decides whose turn it is: the least."""
        return max(self._now, self._until.get(name, 0.0))

    def owes(self, name: str) -> bool:
        """Whether it got more than those who wait."""
        return name in self._until

    def charge(self, name: str, cost: float, waiting: Iterable[str]) -> None:
        """It gets `cost`, while these wait."""
        begin = self.got(name)
        self._now = min(begin, min(map(self.got, waiting), default=begin))
        self._until = {other: until for other, until in self._until.items() if until > self._now}
        self._until[name] = begin + cost
