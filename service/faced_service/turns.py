"""Turns ahead of a queue: who has one makes its item only then, of the newest there is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from faced_service.fair_queue import Flow

LEAD = 2.0
"""A turn comes so many times as early as an item was ready in the mean: a thread that waits for it costs everybody."""

_SMOOTHING = 0.2


class Shares(Protocol):
    """What each flow got; a flow that has reserved counts as one that waits."""

    def got(self, flow: Flow) -> tuple[float, float]:
        """What decides whose turn it is: the least."""

    def reserve(self, flow: Flow) -> None:
        """It waits without an item."""

    def unreserve(self, flow: Flow) -> None:
        """Its item has come, or it waits no more."""


class Turn:
    """The right to submit one item next; to be ended in any case."""

    def __init__(self, turns: Turns, flow: Flow, since: float) -> None:
        self.flow, self.since = flow, since
        self._turns = turns
        self._given = monotonic()
        self._ended = False

    def queued(self) -> None:
        """Its item is in the queue."""
        self._turns.item_came(self.flow, monotonic() - self._given)

    def end(self) -> None:
        """The work on its item begins, or there will be none; may be called more than once."""
        if not self._ended:
            self._ended = True
            self._turns.turn_ended(self.flow)


class Turns:
    """Gives turns in the order of what flows got, at most `most` at once; all on one event loop.

    Each is given as late as its item can still be in the queue when the work that runs is done, by what both took
    lately; at once where nothing runs.
    """

    def __init__(self, shares: Shares, *, most: int) -> None:
        self._shares, self._most = shares, most
        self._waiting: dict[Flow, _Wait] = {}
        self._given = 0
        self._run_s: float | None = None
        self._item_s = 0.0
        self._open, self._closed = True, False
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    async def turn(self, flow: Flow) -> Turn:
        """Waits for a turn of `flow`, which waits once at a time."""
        wait = _Wait(monotonic(), asyncio.get_running_loop().create_future())
        self._waiting[flow] = wait
        self._shares.reserve(flow)
        self._hand_on()
        try:
            return await wait.future
        except asyncio.CancelledError:
            if wait.future.done() and not wait.future.cancelled():
                # It was handed over just before.
                wait.future.result().end()
            elif self._waiting.get(flow) is wait:
                del self._waiting[flow]
                self._shares.unreserve(flow)
            raise

    def run_began(self) -> None:
        """The thread is busy."""
        self._stop_timer()
        self._open = False
        if self._run_s is not None:
            delay = max(self._run_s - LEAD * self._item_s, 0.0)
            self._timer = asyncio.get_running_loop().call_later(delay, self._reopen)

    def run_ended(self, seconds: float) -> None:
        """The thread is free after so long."""
        before = seconds if self._run_s is None else self._run_s
        self._run_s = before + _SMOOTHING * (seconds - before)
        self._reopen()

    def item_came(self, flow: Flow, seconds: float) -> None:
        """So long after its turn."""
        self._item_s += _SMOOTHING * (seconds - self._item_s)
        self._shares.unreserve(flow)

    def turn_ended(self, flow: Flow) -> None:
        """There is a place for another."""
        self._given -= 1
        self._shares.unreserve(flow)
        self._hand_on()

    def close(self) -> None:
        """Nobody waits any more: who submits an item now is told why it is not taken."""
        self._closed = True
        self._stop_timer()
        self._hand_on()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _reopen(self) -> None:
        self._stop_timer()
        self._open = True
        self._hand_on()

    def _hand_on(self) -> None:
        while self._waiting and (self._closed or (self._open and self._given < self._most)):
            flow = min(self._waiting, key=self._shares.got)
            wait = self._waiting.pop(flow)
            if wait.future.cancelled():
                self._shares.unreserve(flow)
                continue
            self._given += 1
            wait.future.set_result(Turn(self, flow, wait.since))


@dataclass(frozen=True, slots=True)
class _Wait:
    since: float
    future: asyncio.Future[Turn]
