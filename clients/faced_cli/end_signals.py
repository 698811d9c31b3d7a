"""Ctrl-C, termination and hang-up as one orderly end: the first is raised, later ones are ignored."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """The process was asked to end by the signal of this `number`."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def end_signals_raised() -> Iterator[None]:
    """Raises `Interrupted` for the first signal; later ones are ignored. Of effect in the main thread only."""

    def interrupt(number: int, _: object) -> None:
        for other in _heeded():
            signal.signal(other, _ignore)
        raise Interrupted(number)

    with _handled_by(interrupt):
        yield


@contextmanager
def end_signals_held() -> Iterator[None]:
    """Signals wait until the block is done, so that nothing in it is left half-way."""
    arrived: list[int] = []
    try:
        with _handled_by(lambda number, _: arrived.append(number)):
            yield
    finally:
        if arrived:
            signal.raise_signal(arrived[0])


def _ignore(number: int, _: object) -> None:
    """Not SIG_IGN, which child processes would inherit."""


@contextmanager
def _handled_by(handler: Callable[[int, object], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # Python runs handlers in the main thread, and lets only that one set them
        return
    before = {number: signal.signal(number, handler) for number in _heeded()}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _heeded() -> list[signal.Signals]:
    # What a parent had ignored stays so: nohup, or a shell's background job.
    return [number for number in _END_SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)]
