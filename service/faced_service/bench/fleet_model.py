"""A fleet of cameras and the replicas that they stream to, as a simulation of events; the only owner of SimPy.

A replica is one queue: the detector takes frames one after the other, at the rate that the whole server reaches at full
load, and what it adds to the time of a frame beyond that overlaps with the next. A camera streams in live mode: its
stream has a turn shortly before the detector is free, and its newest frame is chosen then; older ones are dropped, and
no more are unanswered than it has credits.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import simpy
from numpy.typing import NDArray

_BLOCK = 20
"""Service times are drawn in runs of so many, since slow ones come together."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A camera sends `rate` frames a second while something moves: `active_s` seconds in the mean, then `idle_s` not.

    Both are exponentially distributed; 0 as `idle_s` is a camera that never rests.
    """

    rate: float
    active_s: float
    idle_s: float

    @property
    def mean_rate(self) -> float:
        """Frames a second over all the time."""
        return self.rate * self.active_s / (self.active_s + self.idle_s)


@dataclass(frozen=True, slots=True)
class Replica:
    """Seconds from answer to answer at full load, in their order; and what a frame takes beyond that.

    That is more where the next frame is under way at the same time: `rest_full_s`. A frame is chosen `lead_s` before
    the detector is free.
    """

    service_s: Sequence[float]
    rest_s: Sequence[float]
    rest_full_s: Sequence[float]
    lead_s: float = 0.0

    @property
    def capacity(self) -> float:
        """Frames a second at full load."""
        return 1 / float(np.mean(self.service_s))


@dataclass(frozen=True, slots=True)
class Served:
    """What became of the frames within `seconds`: seconds from camera to answer, and how many were dropped."""

    seconds: float
    latencies: NDArray[np.float64]
    dropped: int

    @property
    def throughput(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    @property
    def drop_share(self) -> float:
        """The part of all frames."""
        return self.dropped / max(self.dropped + len(self.latencies), 1)

    def percentile(self, percent: float) -> float:
        """Of the latencies; not a number if there are none."""
        return float(np.percentile(self.latencies, percent)) if len(self.latencies) else float("nan")


def together(parts: Sequence[Served]) -> Served:
    """Several replicas over the same time."""
    latencies = np.concatenate([part.latencies for part in parts])
    return Served(parts[0].seconds, latencies, sum(part.dropped for part in parts))


def schedules(cameras: int, behaviour: Behaviour, seconds: float, seed: int) -> list[list[float]]:
    """For each camera the times of its frames; it begins active or idle as it is over all the time."""
    return [list(_times(behaviour, seconds, random.Random(f"{seed} {camera}"))) for camera in range(cameras)]


def simulate(
    cameras: Sequence[Sequence[float]], replica: Replica, *, credits: int, seconds: float, seed: int
) -> Served:
    """One replica and the cameras that stream to it. Answers count until the last frame that was sent has its own."""
    environment = simpy.Environment()
    draw = random.Random(seed)
    drawn = (_drawn(of, draw) for of in (replica.service_s, replica.rest_s, replica.rest_full_s))
    shared = _Detector(simpy.Resource(environment, 1), simpy.Resource(environment, 1), replica.lead_s, *drawn)
    streams = [_Stream(environment, shared, credits) for _ in cameras]
    for stream, times in zip(streams, cameras, strict=True):
        environment.process(stream.send(times))
        environment.process(stream.work())
    environment.run()
    latencies = np.array([latency for stream in streams for latency in stream.latencies])
    return Served(seconds, latencies, sum(stream.dropped for stream in streams))


@dataclass(frozen=True, slots=True)
class _Detector:
    """What streams share: turns to choose a frame, the thread that searches, and times to come, in seconds."""

    turns: simpy.Resource
    thread: simpy.Resource
    lead_s: float
    service: Iterator[float]
    rest: Iterator[float]
    rest_full: Iterator[float]


class _Stream:
    """One camera: its sender, and the server's side of its stream."""

    def __init__(self, environment: simpy.Environment, detector: _Detector, credits: int) -> None:
        self._environment, self._detector, self._credits = environment, detector, credits
        # Times of frames: the one that waits at the server, and the newest that the camera may not send yet.
        self._waiting: float | None = None
        self._pending: float | None = None
        self._unanswered = 0
        self._begun = False
        self._woken = environment.event()
        self.latencies: list[float] = []
        self.dropped = 0

    def send(self, times: Sequence[float]) -> Generator[simpy.Event, None, None]:
        """The camera."""
        for time in times:
            yield self._environment.timeout(time - self._environment.now)
            self._offer(time)

    def work(self) -> Generator[simpy.Event, None, None]:
        """The server; it waits for ever where nothing comes any more."""
        while True:
            while self._waiting is None:
                self._woken = self._environment.event()
                yield self._woken
            detector = self._detector
            with detector.turns.request() as turn:
                yield turn
                # The newest, whatever waited first.
                time, self._waiting, self._begun = self._waiting, None, True
                thread = detector.thread.request()
                yield thread
                service = next(detector.service)
                lead = min(detector.lead_s, service)
                yield self._environment.timeout(service - lead)
            # The next one chooses meanwhile.
            yield self._environment.timeout(lead)
            rest = detector.rest_full if detector.thread.queue or detector.turns.queue else detector.rest
            detector.thread.release(thread)
            yield self._environment.timeout(next(rest))
            self.latencies.append(self._environment.now - time)
            # Those that were superseded meanwhile are answered with it.
            self._unanswered, self._begun = 0 if self._waiting is None else 1, False
            if self._pending is not None:
                pending, self._pending = self._pending, None
                # The one that waited begins before the next one has come.
                self._environment.process(self._arrive(pending))

    def _arrive(self, time: float) -> Generator[simpy.Event, None, None]:
        yield self._environment.timeout(0)
        self._offer(time)

    def _offer(self, time: float) -> None:
        if self._unanswered >= self._credits:
            self.dropped += self._pending is not None
            self._pending = time
            return
        self._unanswered += 1
        if self._waiting is not None:
            self.dropped += 1
            # Answers come in order: it is answered at once where none is before it.
            self._unanswered -= not self._begun
        self._waiting = time
        if not self._woken.triggered:
            self._woken.succeed()


def _times(behaviour: Behaviour, seconds: float, draw: random.Random) -> Iterator[float]:
    active = draw.random() < behaviour.mean_rate / behaviour.rate
    time = 0.0
    while time < seconds:
        mean = behaviour.active_s if active else behaviour.idle_s
        end = seconds if behaviour.idle_s == 0 else min(seconds, time + draw.expovariate(1 / mean))
        if active:
            # Cameras are not in step.
            frame = time + draw.random() / behaviour.rate
            while frame < end:
                yield frame
                frame += 1 / behaviour.rate
        time, active = end, not active


def _drawn(samples: Sequence[float], draw: random.Random) -> Iterator[float]:
    while True:
        first = draw.randrange(len(samples))
        for i in range(first, first + _BLOCK):
            yield samples[i % len(samples)]
