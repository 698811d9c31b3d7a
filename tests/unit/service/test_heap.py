import platform
import subprocess
import sys

import pytest

BUSY_THREADS = """
import sys, threading
from faced_service.heap import limit_arenas
{limit}
go, ready = threading.Event(), threading.Barrier(17)
def hold():
    held = [bytearray(50_000) for _ in range(20)]
    ready.wait(); go.wait()
threads = [threading.Thread(target=hold) for _ in range(16)]
for thread in threads: thread.start()
ready.wait()
import ctypes
ctypes.CDLL(None).malloc_stats()
go.set()
"""


def arenas(limit: str, **environment: str) -> int:
    script = BUSY_THREADS.format(limit=limit)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    return done.stderr.count("Arena ")


pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")

HOLES = """
from faced_service.heap import trim
from tests.process import resident_mb
import os
blocks = [bytearray(100_000) for _ in range(1000)]
kept = blocks[::10]
del blocks
before = resident_mb(os.getpid())
trim()
print(before - resident_mb(os.getpid()))
"""


def test_sixteen_threads_share_two_arenas():
    assert arenas("") > 2
    assert arenas("limit_arenas()") == 2
    assert arenas("limit_arenas()", MALLOC_ARENA_MAX="5") == 5


def test_holes_in_the_heap_are_given_back():
    given_back = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True).stdout
    assert float(given_back) > 70
