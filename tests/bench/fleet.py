"""The simulation of `faced bench fleet` against a real server: cameras with bursts, in live mode, over gRPC.

    python -m tests.bench.fleet

The replica is measured: the times from answer to answer while cameras send more than it can do, and the time of a frame
that is alone. The same cameras, with the same times of their frames, stream to the server and to the simulation, at
several loads. Machines change, so each run is of several parts, with a calibration before and after each. Throughput
and the 99th percentile of what was answered must be within 15 %.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import grpc
import numpy as np

from faced_proto.v1 import image_pb2, options_pb2, service_pb2, service_pb2_grpc
from faced_service.bench.fleet_model import Behaviour, Replica, Served, schedules, simulate
from faced_service.settings import Settings
from faced_service.turns import LEAD
from tests.bench.load import picture_of, request_of
from tests.e2e.conftest import serve

MOST_OFF = 0.15
FULL_CAMERAS, FULL_LOAD = 6, 2.0
"""Frames that come and are dropped cost something as well: not more of them than in the runs."""
FIRST_GUESS = 12.0
PARTS, SEEDS = 4, 20
MARGIN_S = 0.5


@dataclass
class Camera:
    """Streams as the SDK and `faced-cli webcam` do: within its credits, the newest frame first."""

    times: Sequence[float]
    begun: float
    answers: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    """When, after how many seconds; of them: not waiting in the server, in the detector, being decoded."""
    dropped: int = 0

    async def run(self, stub: service_pb2_grpc.FaceAnalysisServiceStub, image: image_pb2.Image) -> None:
        config = service_pb2.StreamConfig(
            mode=service_pb2.STREAM_MODE_LIVE, options=options_pb2.AnalysisOptions(upsample_times=0)
        )
        self._sent: dict[int, float] = {}
        self._credits = asyncio.Semaphore(0)
        self._newest: asyncio.Queue[float | None] = asyncio.Queue()
        clock = asyncio.create_task(self._clock())
        call = stub.AnalyzeStream(self._requests(config, image))
        async for reply in call:
            if reply.HasField("started"):
                for _ in range(reply.started.max_in_flight):
                    self._credits.release()
                continue
            sent = self._sent.pop(reply.outcome.frame_id)
            now = time.perf_counter() - self.begun
            assert not reply.outcome.HasField("error"), reply.outcome.error
            if reply.outcome.HasField("dropped"):
                self.dropped += 1
            else:
                timing = reply.outcome.analysis.timing
                worked = (timing.total_us - timing.queue_us) / 1e6
                self.answers.append((now, now - sent, worked, timing.detect_us / 1e6, timing.decode_us / 1e6))
            self._credits.release()
        await clock

    async def _clock(self) -> None:
        for moment in self.times:
            await asyncio.sleep(max(self.begun + moment - time.perf_counter(), 0))
            if not self._newest.empty():
                self._newest.get_nowait()
                self.dropped += 1
            self._newest.put_nowait(moment)
        while not self._newest.empty():  # noqa: ASYNC110 - the last one is still to be sent
            await asyncio.sleep(0.01)
        self._newest.put_nowait(None)

    async def _requests(
        self, config: service_pb2.StreamConfig, image: image_pb2.Image
    ) -> AsyncIterator[service_pb2.AnalyzeStreamRequest]:
        yield service_pb2.AnalyzeStreamRequest(config=config)
        number = 0
        while True:
            await self._credits.acquire()
            moment = await self._newest.get()
            if moment is None:
                return
            self._sent[number] = moment
            yield service_pb2.AnalyzeStreamRequest(frame=service_pb2.Frame(frame_id=number, image=image))
            number += 1


async def stream(address: str, image: image_pb2.Image, cameras: Sequence[Sequence[float]]) -> list[Camera]:
    """All cameras at once, each on a connection of its own."""
    begun = time.perf_counter() + MARGIN_S
    running = [Camera(times, begun) for times in cameras]

    async def one(camera: Camera) -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(address, options=options) as channel:
            await camera.run(service_pb2_grpc.FaceAnalysisServiceStub(channel), image)

    await asyncio.gather(*(one(camera) for camera in running))
    return running


async def measure_replica(address: str, image: image_pb2.Image, seconds: float, guess: float) -> Replica:
    """Its service times at full load, and what a frame takes beyond; `guess` is its capacity in frames a second."""
    full = schedules(FULL_CAMERAS, Behaviour(FULL_LOAD * guess / FULL_CAMERAS, 1.0, 0.0), seconds, seed=0)
    answers = sorted(answer for camera in await stream(address, image, full) for answer in camera.answers)
    # Without the start and the end, at which fewer cameras are there.
    answers = [answer for answer in answers if 1.0 < answer[0] < seconds - 0.5]
    mean = (answers[-1][0] - answers[0][0]) / (len(answers) - 1)
    # As different as the times in the detector: from answer to answer there is what came after it, too.
    detected = np.array([detect for _, _, _, detect, _ in answers])
    service = mean * detected / detected.mean()
    (alone,) = await stream(address, image, [list(np.arange(0.2, seconds / 2, 4 * mean))])
    outside = float(np.median([latency - worked for _, latency, worked, _, _ in alone.answers[1:]]))
    rest = [max(latency - mean, 0.0) for _, latency, *_ in alone.answers[1:]]
    rest_full = [max(worked + outside - mean, 0.0) for _, _, worked, *_ in answers]
    lead = LEAD * float(np.mean([decode for *_, decode in answers]))
    return Replica(tuple(map(float, service)), tuple(rest), tuple(rest_full), lead)


def joined(first: Replica, second: Replica) -> Replica:
    """What lies between the two."""
    return Replica(
        (*first.service_s, *second.service_s),
        (*first.rest_s, *second.rest_s),
        (*first.rest_full_s, *second.rest_full_s),
        (first.lead_s + second.lead_s) / 2,
    )


def spent(replica: Replica, rest: Sequence[float]) -> int:
    return round(1e3 * (1 / replica.capacity + float(np.mean(rest))))


def told(what: str, served: Served) -> str:
    return (
        f"{what} {served.throughput:6.2f} answers/s, {served.drop_share:6.1%} dropped, "
        f"p50 {served.percentile(50) * 1e3:6.0f} ms, p99 {served.percentile(99) * 1e3:6.0f} ms"
    )


def one_after_the_other(parts: Sequence[Served]) -> Served:
    latencies = np.concatenate([part.latencies for part in parts])
    return Served(sum(part.seconds for part in parts), latencies, sum(part.dropped for part in parts))


async def compare(address: str, arguments: argparse.Namespace) -> bool:
    image = request_of(picture_of(arguments.size, "jpeg:90")).image
    replica = await measure_replica(address, image, 4.0, FIRST_GUESS)
    met = []
    for load in map(float, arguments.loads.split(",")):
        replica = await measure_replica(address, image, arguments.calibrate, replica.capacity)
        behaviour = Behaviour(rate=replica.capacity / 2.5, active_s=3.0, idle_s=9.0)
        cameras = round(load * replica.capacity / behaviour.mean_rate)
        seconds = arguments.seconds / PARTS
        measured, predicted, capacities, frames = [], [], [replica.capacity], 0
        for part in range(PARTS):
            times = schedules(cameras, behaviour, seconds, seed=arguments.seed + part)
            frames += sum(map(len, times))
            streamed = await stream(address, image, times)
            latencies = np.array([latency for camera in streamed for _, latency, *_ in camera.answers])
            measured.append(Served(seconds, latencies, sum(camera.dropped for camera in streamed)))
            before, replica = replica, await measure_replica(address, image, arguments.calibrate, replica.capacity)
            between, credits = joined(before, replica), Settings().stream_credits
            predicted += [
                simulate(times, between, credits=credits, seconds=seconds, seed=seed) for seed in range(SEEDS)
            ]
            capacities.append(replica.capacity)
        real, simulated = one_after_the_other(measured), one_after_the_other(predicted)
        off = [simulated.throughput / real.throughput - 1, simulated.percentile(99) / real.percentile(99) - 1]
        good = all(abs(value) <= MOST_OFF for value in off)
        met.append(good)
        print(
            f"load {load:.0%}: {cameras} cameras, {frames} frames in {arguments.seconds:g} s; the replica "
            f"{min(capacities):.1f} to {max(capacities):.1f} frames/s (deviation within one calibration "
            f"{np.std(replica.service_s) * replica.capacity:.2f}); a frame {spent(replica, replica.rest_s)} ms alone, "
            f"{spent(replica, replica.rest_full_s)} ms of work at full load, chosen {1e3 * replica.lead_s:.0f} ms early"
        )
        print(told("  measured ", real))
        print(told("  simulated", simulated))
        print(f"  throughput {off[0]:+.1%}, p99 {off[1]:+.1%}, at most 15 %: {'met' if good else 'MISSED'}", flush=True)
    return all(met)


def main() -> int:
    """Print both for each load; 1 if they are further apart than they may be."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--loads", default="0.5,0.8,1.2", help="what cameras send, in parts of what the replica can do")
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--seconds", type=float, default=100.0, help="of each load: the 99th percentile wants frames")
    parser.add_argument("--calibrate", type=float, default=8.0, help="seconds of each calibration")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with serve("--log-level", "error") as server:
        return 0 if asyncio.run(compare(server.address, arguments)) else 1


if __name__ == "__main__":
    sys.exit(main())
