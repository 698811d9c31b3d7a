"""The turn that a live stream waits for, whichever of its frames is the newest when it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic

from faced_service.errors import DeadlineExceeded
from faced_service.stream_frame import WaitingFrame
from faced_service.turns import Turn


class LiveTurn:
    """One at a time: a frame that is left out for a newer one leaves it what it waited for."""

    def __init__(self, allowance: Callable[[], Awaitable[None]], turn: Callable[[], Awaitable[Turn]]) -> None:
        """First `allowance` is awaited, what the caller may have; then `turn`, the detector's."""
        self._allowance, self._turn = allowance, turn
        self._allowed = False
        self._coming: asyncio.Task[Turn] | None = None

    async def come(self, waiting: WaitingFrame, until: float | None) -> Turn | None:
        """The turn, to be used for this frame; None: it was superseded first.

        Raises:
            DeadlineExceeded: neither came until then (monotonic, seconds), and nobody waits any more.
        """
        if waiting.superseded.is_set():
            return None
        if self._coming is None:
            self._coming = asyncio.create_task(self._both())
        coming, superseded = self._coming, asyncio.create_task(waiting.superseded.wait())
        try:
            left = None if until is None else max(until - monotonic(), 0.0)
            await asyncio.wait((coming, superseded), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            superseded.cancel()
        if waiting.superseded.is_set():
            return None
        if not coming.done():
            await self.close()
            raise DeadlineExceeded("the frame waited too long for its turn")
        self._coming, self._allowed = None, False
        return coming.result()

    async def close(self) -> None:
        """Wait no more."""
        coming, self._coming = self._coming, None
        if coming is not None:
            coming.cancel()
            with suppress(asyncio.CancelledError):
                (await coming).end()

    async def _both(self) -> Turn:
        if not self._allowed:
            await self._allowance()
            self._allowed = True
        return await self._turn()
