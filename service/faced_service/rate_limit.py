"""How often somebody may do something: a bucket of tokens that refills with time."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from time import monotonic

_FORGET_ABOVE = 1024
"""Buckets kept before full ones, which say nothing, are looked for."""


class RateLimit:
    """`rate` a second for each key, and as many at once as a second gives, at least two."""

    def __init__(self, rate: float, *, clock: Callable[[], float] = monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._burst = max(2.0, rate)
        # By key: when its bucket will be, or was, full again.
        self._full_at: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: Hashable) -> float:
        """0 and one is taken, or the seconds until there is one."""
        delay = self._delay(key)
        if delay <= 0:
            self._book(key)
        return max(0.0, delay)

    def book(self, key: Hashable) -> float:
        """Takes one, perhaps of the future; the seconds to wait until its time."""
        delay = self._delay(key)
        self._book(key)
        return max(0.0, delay)

    def give_back(self, key: Hashable) -> None:
        """Undoes a `book` whose time nobody waits for any more; those behind it keep their times."""
        # With all before it given back too, the bucket was full again, and may be forgotten.
        if key in self._full_at:
            self._full_at[key] -= 1 / self._rate

    def _delay(self, key: Hashable) -> float:
        """Seconds until the bucket holds one."""
        missing = (self._full_at.get(key, 0.0) - self._clock()) * self._rate
        return (missing + 1 - self._burst) / self._rate

    def _book(self, key: Hashable) -> None:
        now = self._clock()
        if len(self._full_at) > _FORGET_ABOVE:
            self._full_at = {other: full_at for other, full_at in self._full_at.items() if full_at > now}
        self._full_at[key] = max(now, self._full_at.get(key, now)) + 1 / self._rate
