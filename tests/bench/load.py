"""Throughput over gRPC against the engine alone, and what overload does to callers, each against its target.

    python -m tests.bench.load

The server is a process of its own on the loopback, the callers are this one, the engine alone a third. Frames are the
same raw pictures everywhere. Engine and server are measured in turn, several rounds, and medians are compared; in the
open loop calls leave at their times whatever became of those before, at 4 times the capacity just measured.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import grpc
import numpy as np

from faced_proto.types import AnalysisOptions, Rotation
from faced_proto.v1 import image_pb2, options_pb2, service_pb2, service_pb2_grpc
from faced_service.analyzer import AnalysisRequest, Analyzer
from faced_service.bench.picture import bench_picture
from faced_service.images import Picture
from faced_service.networks import load_networks
from faced_service.raw_pixels import PixelFormat, Plane, RawLayout
from faced_service.settings import Settings
from tests.e2e.conftest import serve

WIDTH, HEIGHT = 320, 240
CLIENTS = (1, 8, 32)
ENGINE_CALLERS = 8
OVERLOAD = 4
QUEUE_LIMIT = Settings().queue_limit
LEAST_SHARE = 0.95
MOST_WAIT = 1.5
REFUSED_S = 0.020
MOST_S = 300.0


@dataclass
class Calls:
    """What came of calls, in seconds each: those that were answered, and those that were refused."""

    seconds: float = 0.0
    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.answered) / self.seconds


def p99(times: list[float]) -> float:
    return float(np.percentile(times, 99)) if times else float("nan")


def request_of(picture: np.ndarray) -> service_pb2.AnalyzeRequest:
    plane = image_pb2.Plane(data=picture.tobytes())
    raw = image_pb2.RawImage(
        pixel_format=image_pb2.PIXEL_FORMAT_RGB24, width=picture.shape[1], height=picture.shape[0], planes=[plane]
    )
    options = options_pb2.AnalysisOptions(upsample_times=0)
    return service_pb2.AnalyzeRequest(image=image_pb2.Image(raw=raw), options=options)


async def call(stub: service_pb2_grpc.FaceAnalysisServiceStub, request: object, calls: Calls) -> None:
    begun = time.perf_counter()
    try:
        await stub.Analyze(request, timeout=60)
        calls.answered.append(time.perf_counter() - begun)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
            calls.refused.append(time.perf_counter() - begun)
        else:
            calls.failed.append(f"{error.code().name}: {error.details()}")


async def closed_loop(one: Callable[[Calls], object], clients: int, seconds: float) -> Calls:
    """Clients that call again when they are answered; answers that come after the end are not counted."""
    calls = Calls(seconds)
    end = time.perf_counter() + seconds

    async def client() -> None:
        while time.perf_counter() < end:
            await one(calls)

    await asyncio.gather(*(client() for _ in range(clients)))
    # What was under way at the end took longer than the time that was set.
    calls.seconds = time.perf_counter() - (end - seconds)
    return calls


async def open_loop(one: Callable[[Calls], object], rate: float, seconds: float) -> Calls:
    """Calls that leave every 1/rate seconds. Answers until the last one count, and so does their time."""
    calls = Calls()
    begun = time.perf_counter()
    running = []
    for i in range(round(rate * seconds)):
        await asyncio.sleep(max(begun + i / rate - time.perf_counter(), 0))
        running.append(asyncio.create_task(one(calls)))
    await asyncio.gather(*running)
    calls.seconds = time.perf_counter() - begun
    return calls


async def engine_alone(picture: np.ndarray) -> None:
    """Serve lines of standard input, `seconds`, with lines of frames a second: the analyzer, without gRPC."""
    settings = Settings()
    networks = load_networks(settings)
    analyzer = Analyzer(networks.models, settings, known_attributes=networks.known_attributes)
    await analyzer.start()
    layout = RawLayout(PixelFormat.RGB24, WIDTH, HEIGHT, (Plane(picture.tobytes(), 0, 0),))

    async def one(calls: Calls) -> None:
        begun = time.perf_counter()
        wanted = AnalysisOptions(upsample_times=0)
        await analyzer.analyze(AnalysisRequest(Picture(layout, Rotation(0)), wanted, "bench", 1))
        calls.answered.append(time.perf_counter() - begun)

    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print((await closed_loop(one, ENGINE_CALLERS, float(line))).rate, flush=True)
    await analyzer.close()


class Engine:
    """`engine_alone` in a process that computes only when asked to."""

    def __enter__(self) -> "Engine":
        command = [sys.executable, "-m", "tests.bench.load", "--engine"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def rate(self, seconds: float) -> float:
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())


def row(what: str, value: float, bound: float, unit: str, met: bool) -> bool:
    sign = "least" if unit == "%" else "most"
    print(f"{what:44} {value:9.1f} {unit:2} {f'at {sign} {bound:.1f}':>18}   {'met' if met else 'MISSED'}", flush=True)
    return met


async def measure(address: str, engine: Engine, picture: np.ndarray, rounds: int, seconds: float) -> bool:
    request = request_of(picture)
    async with grpc.aio.insecure_channel(address) as channel:
        stub = service_pb2_grpc.FaceAnalysisServiceStub(channel)

        async def one(calls: Calls) -> None:
            await call(stub, request, calls)

        await closed_loop(one, 2, 1.0)
        engine.rate(1.0)
        alone: list[float] = []
        served: dict[int, list[Calls]] = {clients: [] for clients in CLIENTS}
        shares: list[float] = []
        for _ in range(rounds):
            # Each between two runs of the engine, so that a machine that changes changes for both.
            alone.append(engine.rate(seconds))
            for clients in CLIENTS:
                served[clients].append(await closed_loop(one, clients, seconds))
                alone.append(engine.rate(seconds))
                if clients == ENGINE_CALLERS:
                    shares.append(served[clients][-1].rate / statistics.mean(alone[-2:]))
        print(f"engine alone, {ENGINE_CALLERS} at a time: {statistics.median(alone):.1f} frames/s", flush=True)
        for clients in CLIENTS:
            rates = [calls.rate for calls in served[clients]]
            times = [time for calls in served[clients] for time in calls.answered]
            print(
                f"gRPC, {clients} clients: {statistics.median(rates):.1f} frames/s, p50 "
                f"{statistics.median(times) * 1e3:.1f} ms, p99 {p99(times) * 1e3:.1f} ms",
                flush=True,
            )
        capacity = statistics.median(calls.rate for calls in served[8])
        single = p99([time for calls in served[1] for time in calls.answered])
        flood = await open_loop(one, OVERLOAD * capacity, 3 * seconds)
        again = (await closed_loop(one, 8, seconds)).rate
    capacity = statistics.mean([served[8][-1].rate, again])
    every = [calls for runs in served.values() for calls in runs] + [flood]
    failed = [what for calls in every for what in calls.failed]
    print(
        f"open loop: {len(flood.answered)} answered, {len(flood.refused)} refused, {len(failed)} failed; "
        f"capacity {capacity:.1f} frames/s"
    )
    share = statistics.median(shares)
    goodput = flood.rate / capacity
    bound = MOST_WAIT * (QUEUE_LIMIT / capacity + single)
    verdicts = [
        row("gRPC / engine, 8 clients", share * 100, LEAST_SHARE * 100, "%", share >= LEAST_SHARE),
        row("goodput / capacity, 4 x capacity", goodput * 100, LEAST_SHARE * 100, "%", goodput >= LEAST_SHARE),
        row("accepted p99 there", p99(flood.answered) * 1e3, bound * 1e3, "ms", p99(flood.answered) <= bound),
        row("refused p99 there", p99(flood.refused) * 1e3, REFUSED_S * 1e3, "ms", p99(flood.refused) <= REFUSED_S),
    ]
    for what in failed[:10]:
        print("FAULT", what)
    return all(verdicts) and not failed


def main() -> int:
    """Print the table; 1 if a target is missed or a call failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--engine", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    picture = bench_picture(WIDTH, HEIGHT)
    if arguments.engine:
        asyncio.run(engine_alone(picture))
        return 0
    with serve("--log-level", "error") as server, Engine() as engine:
        measured = measure(server.address, engine, picture, arguments.rounds, arguments.seconds)
        return int(not asyncio.run(asyncio.wait_for(measured, MOST_S)))


if __name__ == "__main__":
    sys.exit(main())
