"""The order of a stream's frames, for those that are worked on side by side; knows no pictures."""

from __future__ import annotations

import asyncio


class FrameOrder:
    """Gives frames their places, in the order of the calls. Lives on one event loop."""

    def __init__(self) -> None:
        self._places = 0
        self._current = 0
        self._passed: set[int] = set()
        self._waiting: dict[int, asyncio.Future[None]] = {}

    def place(self) -> Place:
        """That of the next frame."""
        self._places += 1
        return Place(self, self._places - 1)

    async def reached(self, number: int) -> None:
        """Return when all places before `number` are passed."""
        if number > self._current:
            self._waiting[number] = asyncio.get_running_loop().create_future()
            try:
                await self._waiting[number]
            finally:
                del self._waiting[number]

    def passed(self, number: int) -> None:
        """The frame there holds up no other one; may be called more than once."""
        if number >= self._current:
            self._passed.add(number)
        while self._current in self._passed:
            self._passed.remove(self._current)
            self._current += 1
            waiting = self._waiting.get(self._current)
            if waiting is not None and not waiting.done():
                waiting.set_result(None)


class Place:
    """One frame's, number `number` from 0."""

    def __init__(self, order: FrameOrder, number: int) -> None:
        self.number = number
        self._order = order

    async def reached(self) -> None:
        """See `FrameOrder.reached`."""
        await self._order.reached(self.number)

    def passed(self) -> None:
        """See `FrameOrder.passed`."""
        self._order.passed(self.number)
