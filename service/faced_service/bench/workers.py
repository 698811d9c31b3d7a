"""Requests a second over gRPC: several workers with one thread each against one worker with all threads."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from time import monotonic

import grpc
import numpy as np

from faced_proto.v1 import image_pb2, service_pb2, service_pb2_grpc
from faced_service.bench.arguments import add_sizes, add_threads, count
from faced_service.bench.picture import bench_picture

_CALLS = 8

_LIMIT_S = 60.0
"""A call that takes longer is an error."""


@dataclass(frozen=True, slots=True)
class WorkersRow:
    """Requests a second and milliseconds a request, `calls` under way at all times."""

    workers: int
    threads_each: int
    calls: int
    size: str
    per_second: float
    p50: float
    p99: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--seconds` of each, `--threads` in all, `--sizes`."""
    parser.add_argument("--seconds", type=count, default=10, help="how long each is measured (default: 10)")
    add_threads(parser)
    add_sizes(parser)


def run(arguments: argparse.Namespace) -> Sequence[WorkersRow]:
    """See the module.

    Raises:
        ValueError: there is one thread only, so nothing to divide.
    """
    threads: int = arguments.threads
    if threads < 2:
        raise ValueError("one thread cannot be divided: --threads must be at least 2")
    rows = []
    for width, height in arguments.sizes:
        for workers in (1, threads):
            with served(workers, threads) as address:
                times, seconds = asyncio.run(_call(address, width, height, arguments.seconds))
            p50, p99 = (np.percentile(times, (50, 99)) * 1e3).tolist()
            rows.append(
                WorkersRow(
                    workers,
                    threads // workers,
                    _CALLS,
                    f"{width}x{height}",
                    round(len(times) / seconds, 2),
                    round(p50, 1),
                    round(p99, 1),
                )
            )
    return rows


@contextmanager
def served(workers: int, threads: int) -> Iterator[str]:
    """A server in processes of its own; gives its address."""
    command = [sys.executable, "-m", "faced_service.main", "serve", "--port", "0", "--max-message-bytes", str(1 << 28)]
    command += ["--workers", str(workers), "--cpu-threads", str(threads)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        # It logs a line a call, and would stand still once the pipe is full.
        rest = Thread(target=deque, args=(server.stderr, 0))
        try:
            said = ""
            for line in server.stderr:
                said = line
                if line.startswith("faced: serving on "):
                    break
            else:
                raise RuntimeError(f"the measured server failed: {said.strip()}")
            rest.start()
            yield line.split()[3].rstrip(",")
        finally:
            server.terminate()
            if rest.ident is not None:
                rest.join()


async def _call(address: str, width: int, height: int, seconds: float) -> tuple[list[float], float]:
    """Seconds of each call, and of all; every caller has a connection of its own, so that workers share them."""
    request = service_pb2.AnalyzeRequest()
    request.options.upsample_times = 0
    raw = request.image.raw
    raw.pixel_format, raw.width, raw.height = image_pb2.PIXEL_FORMAT_RGB24, width, height
    raw.planes.add(data=bench_picture(width, height).tobytes())
    times: list[float] = []
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]

    async def caller(end: float) -> None:
        async with grpc.aio.insecure_channel(address, options=options) as channel:
            stub = service_pb2_grpc.FaceAnalysisServiceStub(channel)  # type: ignore[no-untyped-call]
            await stub.Analyze(request, timeout=_LIMIT_S)
            while (begin := monotonic()) < end:
                await stub.Analyze(request, timeout=_LIMIT_S)
                times.append(monotonic() - begin)

    begin = monotonic()
    await asyncio.gather(*(caller(begin + seconds) for _ in range(_CALLS)))
    return times, monotonic() - begin
