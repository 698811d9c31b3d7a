"""Threads for what is done to one frame at a time: decoding and aligning."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TypeVar

from faced_service.batcher import Closed, Served

_Value = TypeVar("_Value")

_MOST = 4


class FrameThreads:
    """As many as there are CPUs, up to four: such work holds the interpreter for little of its time."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(min(_MOST, os.cpu_count() or 1), thread_name_prefix="frames")
        self._closed = False

    async def run(self, function: Callable[[], _Value]) -> Served[_Value]:
        """What `function` gives or raises. Cancelling the wait does not end the function.

        Raises:
            Closed: no more is begun.
        """
        self._require_open()
        since = monotonic()

        def timed() -> Served[_Value]:
            self._require_open()
            begin = monotonic()
            value = function()
            return Served(value, begin - since, monotonic() - begin)

        return await asyncio.get_running_loop().run_in_executor(self._pool, timed)

    async def close(self) -> None:
        """Waits for what is under way; what waits for a thread fails."""
        self._closed = True
        await asyncio.to_thread(self._pool.shutdown)

    def _require_open(self) -> None:
        if self._closed:
            raise Closed
