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
    """What waits, and what each flow got; a flow that has reserved counts as one that waits."""

    def others_wait(self) -> bool:
        """Whether there are items that were not made in a turn."""

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
        self.ended = False
        self._turns = turns
        self._given = monotonic()

    def queued(self) -> None:
        """Its item is in the queue."""
        self._turns.item_came(self.flow, monotonic() - self._given)

    def end(self) -> None:
        """The work on its item begins, or there will be none; may be called more than once."""
        if not self.ended:
            self.ended = True
            self._turns.turn_ended(self.flow)


class Run:
    """One that is under way; to be ended in any case."""

    def __init__(self, turns: Turns, *, in_turn: bool, about_to_end_after: float | None) -> None:
        self.in_turn = in_turn
        self._turns = turns
        self._begun = monotonic()
        self._about_to_end = False
        self._timer: asyncio.TimerHandle | None = None
        if about_to_end_after is not None:
            self._timer = asyncio.get_running_loop().call_later(about_to_end_after, self._make_room)

    def end(self) -> None:
        """Its thread is free."""
        if self._timer is not None:
            self._timer.cancel()
        self._turns.run_took(monotonic() - self._begun)
        self._make_room()

    def _make_room(self) -> None:
        if not self._about_to_end:
            self._about_to_end = True
            self._turns.run_is_ending(self)


class Turns:
    """Gives turns in the order of what flows got, at most `most` for each run; all on one event loop.

    Each is given as late as its item can still be in the queue when one of the `runs` that go on at once is done, by
    what both took lately; at once where none goes on. Runs side by side share the processor, and make items that are
    the newest grow old: while one goes on with such an item, others get a turn only in place of items that wait.
    """

    def __init__(self, shares: Shares, *, most: int, runs: int = 1) -> None:
        self._shares, self._most = shares, most
        self._waiting: dict[Flow, _Wait] = {}
        self._given = 0
        self._run_s: float | None = None
        self._item_s = 0.0
        # Runs for which there is room, now or soon, and those in turn that are in the midst.
        self._room, self._in_turn = runs, 0
        self._closed = False

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

    def run_begins(self, *, in_turn: bool) -> Run:
        """A thread is busy, `in_turn` with an item that was made when its turn came."""
        self._room -= 1
        self._in_turn += in_turn
        ending = None if self._run_s is None else max(self._run_s - LEAD * self._item_s, 0.0)
        return Run(self, in_turn=in_turn, about_to_end_after=ending)

    def run_is_ending(self, run: Run) -> None:
        """There will be room for another."""
        self._room += 1
        self._in_turn -= run.in_turn
        self._hand_on()

    def run_took(self, seconds: float) -> None:
        """What one took."""
        before = seconds if self._run_s is None else self._run_s
        self._run_s = before + _SMOOTHING * (seconds - before)

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
        self._hand_on()

    def _hand_on(self) -> None:
        while self._waiting and (self._closed or self._has_room()):
            flow = min(self._waiting, key=self._shares.got)
            wait = self._waiting.pop(flow)
            if wait.future.cancelled():
                self._shares.unreserve(flow)
                continue
            self._given += 1
            wait.future.set_result(Turn(self, flow, wait.since))

    def _has_room(self) -> bool:
        if self._shares.others_wait():
            return self._given < self._most * self._room
        return self._given < self._most and self._room > 0 and not self._in_turn


@dataclass(frozen=True, slots=True)
class _Wait:
    since: float
    future: asyncio.Future[Turn]
