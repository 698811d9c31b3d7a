"""Holds frames back until their time has come."""

from __future__ import annotations

import threading
import time

_LATEST_S = 0.5
"""Who is later than this cannot keep up, and goes on from where it is."""


class Pace:
    """Frames' times become moments of this clock; the first is due at once."""

    def __init__(self) -> None:
        self._origin: float | None = None

    def wait(self, time_s: float, stop: threading.Event) -> None:
        """Until `time_s` is due, or `stop`."""
        now = time.monotonic()
        if self._origin is None or now > self._origin + time_s + _LATEST_S:
            self._origin = now - time_s
        stop.wait(max(0.0, self._origin + time_s - now))
