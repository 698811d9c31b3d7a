"""One thread that works for an event loop; unlike an executor's it can be left behind when it hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

_Value = TypeVar("_Value")
_Result = TypeVar("_Result")
_Job = Callable[[], None]


_LOOKS = 20
"""So often a run is looked at within its limit."""


class Hung(Exception):  # noqa: N818 - named by what happened
    """The work did not end in time, and nothing can end it."""


class WorkThread:
    """Runs one function after the other. The thread is a daemon: a process can end though it hangs."""

    def __init__(self, name: str) -> None:
        self.hung = False
        self._name = name
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: Thread | None = None

    async def run(self, function: Callable[[], _Value], limit: float | None = None) -> _Value:
        """What `function` gives or raises. Cancelling the wait does not end the function.

        Raises:
            Hung: it took longer than `limit` seconds, not counting those in which the whole process stood still; the
                thread is of no use any more.
        """
        if self._thread is None:
            self._thread = Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Value] = loop.create_future()
        self._jobs.put(lambda: _do(function, future, loop))
        if not await _ended(future, limit):
            self.hung = True
            future.cancel()
            raise Hung(f"{self._name} did not end within {limit:g} s")
        return future.result()

    def close(self) -> None:
        """End the thread after what it was given, and wait for that; one that hangs is left behind."""
        self._jobs.put(None)
        if self._thread is not None and not self.hung:
            self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            # Else the newest job's pictures stay in memory until the next one.
            del job


async def _ended(future: asyncio.Future[_Value], limit: float | None) -> bool:
    """Whether it did within `limit`, which is waited for in parts: a machine that is suspended, or a process that is
    stopped, stands still within one of them.
    """
    part = None if limit is None else limit / _LOOKS
    for _ in range(_LOOKS):
        await asyncio.wait([future], timeout=part)
        if future.done():
            return True
    return False


def _do(function: Callable[[], _Value], future: asyncio.Future[_Value], loop: asyncio.AbstractEventLoop) -> None:
    try:
        _tell(loop, partial(_deliver, future.set_result, function(), future))
    except BaseException as error:  # noqa: BLE001 - handed to whoever waits
        _tell(loop, partial(_deliver, future.set_exception, error, future))


def _deliver(put: Callable[[_Value], None], value: _Value, future: asyncio.Future[_Result]) -> None:
    if not future.done():
        put(value)


def _tell(loop: asyncio.AbstractEventLoop, deliver: Callable[[], None]) -> None:
    # A loop that is closed has left this thread behind, and nobody waits.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(deliver)
