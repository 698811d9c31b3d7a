"""Threads that help whoever calls with the parts of a piece of work."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

_Part = TypeVar("_Part")


class Team:
    """`threads` with the caller's own. Safe for threads: several callers share the helpers."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._helpers = ThreadPoolExecutor(threads - 1, "team") if threads > 1 else None

    def share(self, work: Callable[[_Part], None], parts: Iterable[_Part]) -> None:
        """`work` on every part, each thread taking the next one when it is done with one.

        Nobody waits for a helper that has not begun: where other programs keep it from a core, the caller does it all.
        The first error of any thread is raised once none works any more; parts that were left then are not done.
        """
        job = _Job(work, parts)
        helping: list[Future[None]] = []
        try:
            if self._helpers is not None:
                helping.extend(self._helpers.submit(job.do) for _ in range(min(self.threads, len(job.left)) - 1))
            job.do()
        finally:
            job.left.clear()
            wait([helper for helper in helping if not helper.cancel()])
            # Those that were cancelled lie in the helpers' queue for a while, and must keep no picture.
            job.work = _nothing
        if job.errors:
            error = job.errors[0]
            job.errors.clear()
            try:
                raise error
            finally:
                # Its traceback has this frame, which would keep it and all that it touched.
                del error


class _Job(Generic[_Part]):
    def __init__(self, work: Callable[[_Part], None], parts: Iterable[_Part]) -> None:
        self.work = work
        self.left = deque(parts)
        self.errors: list[BaseException] = []

    def do(self) -> None:
        try:
            while True:
                try:
                    part = self.left.popleft()
                except IndexError:
                    return
                self.work(part)
        except BaseException as error:  # noqa: BLE001 - raised by `share`
            self.left.clear()
            self.errors.append(error)


def _nothing(_part: object) -> None:
    pass
