"""The C library's heap, kept from growing with the number of threads and of pictures."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable

_M_ARENA_MAX = -8
"""Of glibc's malloc.h."""

_ARENAS = 2

_TRIM_EVERY_S = 20.0


def limit_arenas() -> None:
    """Let all threads share two arenas; to be called before threads begin. Without glibc, nothing happens.

    glibc gives threads arenas of their own, up to eight for each CPU, and none gives its pages to another: pictures of
    many sizes then leave holes in every one. `MALLOC_ARENA_MAX` in the environment has precedence.
    """
    if "MALLOC_ARENA_MAX" in os.environ:
        return
    mallopt = _glibc("mallopt")
    # musl has the function and ignores it.
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)


def trim() -> None:
    """Give the system the pages of the heap that hold nothing; takes some milliseconds. Without glibc, nothing happens.

    Freed memory goes back by itself only from the heap's end: pictures of many sizes leave holes below it, 100 MB in
    half an hour.
    """
    malloc_trim = _glibc("malloc_trim")
    if malloc_trim is not None:
        malloc_trim(0)


async def keep_trimmed() -> None:
    """Trim every 20 seconds, in a thread, until cancelled."""
    while True:
        await asyncio.sleep(_TRIM_EVERY_S)
        await asyncio.to_thread(trim)


def _glibc(name: str) -> Callable[..., int] | None:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
