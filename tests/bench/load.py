"""Throughput over gRPC against the engine alone, and what overload does to callers, each against its target.

    python -m tests.bench.load

The server is a process of its own on the loopback, the callers are this one, the engine alone a third. Frames are the
same everywhere: JPEG files as remote cameras send them, or raw pixels. Each run of the server lies between two of what
it is compared with, the engine alone or its own capacity, and the median of these ratios counts. In the open loop calls
leave at their times whatever became of those before, at 4 times the capacity just measured. Callers in the closed loops
who are refused come again when the server said.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import chain, pairwise

import cv2
import grpc
import numpy as np

from faced_proto.types import AnalysisOptions
from faced_proto.v1 import image_pb2, options_pb2, service_pb2
from faced_service.analysis_request import AnalysisRequest
from faced_service.analyzer import Analyzer
from faced_service.bench.picture import bench_picture
from faced_service.images import EncodedImage, Picture
from faced_service.networks import load_networks
from faced_service.raw_pixels import PixelFormat, Plane, RawLayout
from faced_service.servicer import SERVICE_NAME
from faced_service.settings import Settings
from tests.bench.caller import Caller, calling
from tests.bench.verdict import row
from tests.e2e.conftest import serve

CLIENTS = (8, 1, 8, 32, 8)
"""In each round; 8 oftenest, since a target hangs on it."""

ANALYZE = f"/{SERVICE_NAME}/Analyze"
ENGINE_CALLERS = 8
OVERLOAD = 4
FLOODS = 3
QUEUE_LIMIT = Settings().queue_limit
LEAST_SHARE = 0.95
MOST_WAIT = 1.5
REFUSED_S = 0.020
MOST_S = 420.0


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


def picture_of(size: str, encode: str) -> Picture:
    """A bench picture, `size` WxH, as `encode` says: raw or jpeg:QUALITY."""
    width, height = map(int, size.split("x"))
    pixels = bench_picture(width, height)
    if encode == "raw":
        return Picture(RawLayout(PixelFormat.RGB24, width, height, (Plane(pixels.tobytes(), 0, 0),)))
    quality = int(encode.removeprefix("jpeg:"))
    return Picture(
        EncodedImage(cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())
    )


def request_of(picture: Picture) -> service_pb2.AnalyzeRequest:
    content = picture.content
    if isinstance(content, EncodedImage):
        image = image_pb2.Image(encoded=content.data)
    else:
        planes = [image_pb2.Plane(data=plane.data) for plane in content.planes]
        pixel_format = image_pb2.PIXEL_FORMAT_RGB24
        raw = image_pb2.RawImage(pixel_format=pixel_format, width=content.width, height=content.height, planes=planes)
        image = image_pb2.Image(raw=raw)
    return service_pb2.AnalyzeRequest(image=image, options=options_pb2.AnalysisOptions(upsample_times=0))


async def call(caller: Caller, calls: Calls) -> float:
    """The seconds after which the server asks to come again: 0 if it answered."""
    begun = time.perf_counter()
    reply = await caller.call()
    seconds = time.perf_counter() - begun
    if reply.status == grpc.StatusCode.OK.value[0]:
        calls.answered.append(seconds)
    elif reply.status == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]:
        calls.refused.append(seconds)
        return int(reply.trailers["retry-after-ms"]) / 1e3
    else:
        calls.failed.append(f"status {reply.status}: {reply.trailers.get('grpc-message')}")
    return 0.0


async def closed_loop(one: Callable[[Calls], Awaitable[float]], clients: int, seconds: float) -> Calls:
    """Clients that call again when they are answered; answers that come after the end are not counted."""
    calls = Calls(seconds)
    end = time.perf_counter() + seconds

    async def client() -> None:
        while time.perf_counter() < end:  # noqa: ASYNC110 - a pause that the server asked for, no poll
            await asyncio.sleep(await one(calls))

    await asyncio.gather(*(client() for _ in range(clients)))
    # What was under way at the end took longer than the time that was set.
    calls.seconds = time.perf_counter() - (end - seconds)
    return calls


async def open_loop(one: Callable[[Calls], Awaitable[float]], rate: float, seconds: float) -> Calls:
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


async def engine_alone(picture: Picture) -> None:
    """Serve lines of standard input, `seconds`, with lines of frames a second: the analyzer, without gRPC."""
    settings = Settings()
    networks = load_networks(settings)
    analyzer = Analyzer(networks.models, settings, known_attributes=networks.known_attributes)
    await analyzer.start()

    async def one(calls: Calls) -> float:
        begun = time.perf_counter()
        wanted = AnalysisOptions(upsample_times=0)
        await analyzer.analyze(AnalysisRequest(picture, wanted, "bench", 1))
        calls.answered.append(time.perf_counter() - begun)
        return 0.0

    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print((await closed_loop(one, ENGINE_CALLERS, float(line))).rate, flush=True)
    await analyzer.close()


class Engine:
    """`engine_alone` in a process that computes only when asked to."""

    def __init__(self, size: str, encode: str) -> None:
        self._frames = ("--size", size, "--encode", encode)

    def __enter__(self) -> "Engine":
        command = [sys.executable, "-m", "tests.bench.load", "--engine", *self._frames]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def rate(self, seconds: float) -> float:
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())


async def measure(address: str, engine: Engine, picture: Picture, rounds: int, seconds: float) -> bool:
    async with calling(address, ANALYZE, request_of(picture).SerializeToString()) as caller:

        async def one(calls: Calls) -> float:
            return await call(caller, calls)

        await closed_loop(one, 2, 1.0)
        engine.rate(1.0)
        served: dict[int, list[Calls]] = {clients: [] for clients in sorted(set(CLIENTS))}
        alone = [engine.rate(seconds)]
        shares: list[float] = []
        for clients in CLIENTS * rounds:
            served[clients].append(await closed_loop(one, clients, seconds))
            alone.append(engine.rate(seconds))
            if clients == ENGINE_CALLERS:
                shares.append(served[clients][-1].rate / statistics.mean(alone[-2:]))
        print(f"engine alone, {ENGINE_CALLERS} at a time: {statistics.median(alone):.1f} frames/s", flush=True)
        for clients, runs in served.items():
            times = [time for calls in runs for time in calls.answered]
            print(
                f"gRPC, {clients} clients: {statistics.median(calls.rate for calls in runs):.1f} frames/s, p50 "
                f"{statistics.median(times) * 1e3:.1f} ms, p99 {p99(times) * 1e3:.1f} ms",
                flush=True,
            )
        capacities = [await closed_loop(one, ENGINE_CALLERS, seconds)]
        floods: list[Calls] = []
        for _ in range(FLOODS):
            floods.append(await open_loop(one, OVERLOAD * capacities[-1].rate, 3 * seconds))
            capacities.append(await closed_loop(one, ENGINE_CALLERS, seconds))
    failed = [what for calls in (*chain(*served.values()), *capacities, *floods) for what in calls.failed]
    answered = [time for flood in floods for time in flood.answered]
    refused = [time for flood in floods for time in flood.refused]
    capacity = statistics.mean(calls.rate for calls in capacities)
    print(
        f"open loop: {len(answered)} answered, {len(refused)} refused, {len(failed)} failed; "
        f"capacity {capacity:.1f} frames/s"
    )
    low, share, high = statistics.quantiles(shares, n=4)
    print(f"gRPC / engine: {len(shares)} pairs, quartiles {low:.1%} and {high:.1%}")
    goodputs = [
        flood.rate / statistics.mean([before.rate, after.rate])
        for (before, after), flood in zip(pairwise(capacities), floods, strict=True)
    ]
    goodput = statistics.median(goodputs)
    print(f"goodput / capacity: {', '.join(f'{each:.1%}' for each in goodputs)}")
    single = p99([time for calls in served[1] for time in calls.answered])
    bound = MOST_WAIT * (QUEUE_LIMIT / capacity + single)
    verdicts = [
        row("gRPC / engine, 8 clients", f"{share:.1%}", f"at least {LEAST_SHARE:.0%}", share >= LEAST_SHARE),
        row(
            "goodput / capacity, 4 x capacity", f"{goodput:.1%}", f"at least {LEAST_SHARE:.0%}", goodput >= LEAST_SHARE
        ),
        row(
            "accepted p99 there",
            f"{p99(answered) * 1e3:.1f} ms",
            f"at most {bound * 1e3:.1f} ms",
            p99(answered) <= bound,
        ),
        row(
            "refused p99 there",
            f"{p99(refused) * 1e3:.1f} ms",
            f"at most {REFUSED_S * 1e3:.0f} ms",
            p99(refused) <= REFUSED_S,
        ),
    ]
    for what in failed[:10]:
        print("FAULT", what)
    return all(verdicts) and not failed


def main() -> int:
    """Print the table; 1 if a target is missed or a call failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--engine", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--size", default="640x480", help="of the frames, WxH")
    parser.add_argument("--encode", default="jpeg:95", help="raw or jpeg:QUALITY")
    arguments = parser.parse_args()
    picture = picture_of(arguments.size, arguments.encode)
    if arguments.engine:
        asyncio.run(engine_alone(picture))
        return 0
    with serve("--log-level", "error") as server, Engine(arguments.size, arguments.encode) as engine:
        measured = measure(server.address, engine, picture, arguments.rounds, arguments.seconds)
        return int(not asyncio.run(asyncio.wait_for(measured, MOST_S)))


if __name__ == "__main__":
    sys.exit(main())
