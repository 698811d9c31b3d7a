"""When streams should end: the server does, or their connection is too old; knows no transport."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Endings:
    """Lives on one event loop."""

    def __init__(self, max_age_s: float | None) -> None:
        """Streams are told to end after `max_age_s` (None: never)."""
        self._max_age_s = max_age_s
        self._all = False
        self._open: set[asyncio.Event] = set()

    def drain(self) -> None:
        """Tell all streams that the server is going away."""
        self._all = True
        for ending in self._open:
            ending.set()

    @contextmanager
    def stream(self) -> Iterator[asyncio.Event]:
        """What tells a stream that it should end, while the context lasts."""
        ending = asyncio.Event()
        if self._all:
            ending.set()
        timer = None
        if self._max_age_s is not None:
            timer = asyncio.get_running_loop().call_later(self._max_age_s, ending.set)
        self._open.add(ending)
        try:
            yield ending
        finally:
            self._open.discard(ending)
            if timer is not None:
                timer.cancel()
