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
        self._allowed: asyncio.Future[None] | None = None
        self._coming: asyncio.Task[Turn] | None = None

    async def come(self, waiting: WaitingFrame, until: float | None) -> Turn | None:
        """The turn, to be used for this frame; None: it was superseded first.

        Raises:
            DeadlineExceeded: not both came until then (monotonic, seconds). The detector is not waited for any more;
                the allowance is the next frame's, whether it has come or not.
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
            await self._leave_queue()
            raise DeadlineExceeded("the frame waited too long for its turn")
        self._coming = self._allowed = None
        return coming.result()

    async def close(self) -> None:
        """Wait no more."""
        await self._leave_queue()
        allowed, self._allowed = self._allowed, None
        if allowed is not None:
            allowed.cancel()
            await asyncio.gather(allowed, return_exceptions=True)

    async def _leave_queue(self) -> None:
        coming, self._coming = self._coming, None
        if coming is not None:
            coming.cancel()
            with suppress(asyncio.CancelledError):
                (await coming).end()

    async def _both(self) -> Turn:
        if self._allowed is None:
            self._allowed = asyncio.ensure_future(self._allowance())
        # A frame that waits no longer leaves it to the next: else frames that wait for less than it takes never get it.
        await asyncio.shield(self._allowed)
        return await self._turn()
