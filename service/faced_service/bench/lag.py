"""How late the event loop wakes while frames of 16 faces are analysed without a pause."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

import numpy as np

from faced_proto.convert import frame_analysis_to_proto
from faced_proto.types import AnalysisOptions
from faced_service.analysis_request import AnalysisRequest
from faced_service.analyzer import Analyzer
from faced_service.bench.arguments import add_device, add_threads, count
from faced_service.bench.picture import picture_with_faces
from faced_service.images import Picture
from faced_service.networks import load_networks
from faced_service.raw_pixels import PixelFormat, Plane, RawLayout
from faced_service.serving import settle_interpreter
from faced_service.settings import Settings

_FACES = 16
_STEP_S = 0.001
_WARM_UP_FRAMES = 4
_IDLE_S = 2.0


@dataclass(frozen=True, slots=True)
class LagRow:
    """Milliseconds by which a wakeup after 1 ms was late, over `wakeups`, while `frames` were analysed.

    `idle_p99` is the same before the first frame: what this machine itself is late.
    """

    faces: int
    size: str
    frames: int
    wakeups: int
    p50: float
    p99: float
    max: float
    idle_p99: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--seconds` and what the networks run on."""
    parser.add_argument("--seconds", type=count, default=10, help="how long (default: 10)")
    add_threads(parser)
    add_device(parser)


def run(arguments: argparse.Namespace) -> Sequence[LagRow]:
    """See the module."""
    settings = Settings(device=arguments.device, cpu_threads=arguments.threads)
    return [asyncio.run(_measure(settings, arguments.seconds))]


async def _measure(settings: Settings, seconds: float) -> LagRow:
    rgb = picture_with_faces(_FACES)
    height, width, _ = rgb.shape
    picture = Picture(RawLayout(PixelFormat.RGB24, width, height, (Plane(rgb.tobytes()),)))
    networks = load_networks(settings)
    analyzer = Analyzer(networks.models, settings, known_attributes=networks.known_attributes)
    await analyzer.start()
    try:
        for _ in range(_WARM_UP_FRAMES):
            await _analyse(analyzer, picture)
        settle_interpreter()
        idle = await _lateness(_IDLE_S)
        frames = 0
        ending = asyncio.Event()

        async def caller() -> None:
            nonlocal frames
            while not ending.is_set():
                await _analyse(analyzer, picture)
                frames += 1

        # Two at once, so that one is described while the other is searched.
        callers = [asyncio.create_task(caller()) for _ in range(2)]
        late = await _lateness(seconds)
        ending.set()
        await asyncio.gather(*callers)
    finally:
        await analyzer.close()
    p50, p99, most = np.percentile(late, (50, 99, 100)).round(2).tolist()
    idle_p99 = round(float(np.percentile(idle, 99)), 2)
    return LagRow(_FACES, f"{width}x{height}", frames, len(late), p50, p99, most, idle_p99)


async def _analyse(analyzer: Analyzer, picture: Picture) -> None:
    """What a call over gRPC costs the loop: the analysis, and its message."""
    request = AnalysisRequest(picture, AnalysisOptions(upsample_times=0), "bench", 0)
    analysis = await analyzer.analyze(request)
    if len(analysis.faces) != _FACES:
        raise ValueError(f"the picture holds {_FACES} faces, and {len(analysis.faces)} were found")
    frame_analysis_to_proto(analysis, include_labels=True, include_landmarks=True).SerializeToString()


async def _lateness(seconds: float) -> list[float]:
    late = []
    end = monotonic() + seconds
    while (begin := monotonic()) < end:
        await asyncio.sleep(_STEP_S)
        late.append((monotonic() - begin - _STEP_S) * 1e3)
    return late
