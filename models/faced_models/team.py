"""Threads that help whoever calls with the parts of a piece of work."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Part = TypeVar("_Part")


class Team:
    """`threads` with the caller's own. Safe for threads: several callers share the helpers."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._helpers = ThreadPoolExecutor(threads - 1, "team") if threads > 1 else None

    def share(self, work: Callable[[_Part], None], parts: Iterable[_Part]) -> None:
        """`work` on every part, each thread taking the next one when it is done with one; raises what it raised.

        Nobody waits for a helper that has not begun: where other programs keep it from a core, the caller does it all.
        """
        left = deque(parts)

        def help_out() -> None:
            while True:
                try:
                    part = left.popleft()
                except IndexError:
                    return
                work(part)

        count = min(self.threads, len(left)) - 1
        helping = [self._helpers.submit(help_out) for _ in range(count)] if self._helpers else []
        try:
            help_out()
        finally:
            # After an error too: what they work on is the caller's again once this returns.
            left.clear()
            for helper in helping:
                if not helper.cancel():
                    helper.result()
