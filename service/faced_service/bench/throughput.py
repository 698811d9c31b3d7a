"""Frames a second of the detector by size of batch: what a GPU gains from frames that run together."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from faced_models.bundle import load_detector
from faced_models.detector import Detector
from faced_models.scale import WINDOW_PX, ScanPlan
from faced_proto.types import Precision, RgbImage
from faced_service.bench import arguments as flags
from faced_service.bench.picture import bench_picture


@dataclass(frozen=True, slots=True)
class ThroughputRow:
    """One size and batch: median milliseconds of a whole detection, frames a second, and the boxes of one frame."""

    size: str
    batch: int
    precision: str
    device: str
    backend: str
    ms: float
    frames_per_second: float
    boxes: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is measured, and on what."""
    flags.add_threads(parser)
    flags.add_sizes(parser)
    flags.add_rounds(parser)
    flags.add_device(parser)
    parser.add_argument("--batch", type=_counts, default=[1, 8, 32], help="frames at a time, N,... (default: 1,8,32)")
    parser.add_argument("--precision", type=Precision, default=Precision.EXACT, help="exact or fast")
    parser.add_argument("--backend", default="auto", help="auto, ort, openvino (default: auto)")


def run(arguments: argparse.Namespace) -> list[ThroughputRow]:
    """One row for each size and batch."""
    detector = load_detector(
        backend=arguments.backend,
        device=arguments.device,
        precision=arguments.precision,
        cpu_threads=arguments.threads,
    )
    return [
        measure(detector, bench_picture(*size), batch, arguments.rounds)
        for size in arguments.sizes
        for batch in arguments.batch
    ]


def measure(detector: Detector, picture: RgbImage, batch: int, rounds: int) -> ThroughputRow:
    """Medians of `rounds` detections after two to warm up."""
    height, width, _ = picture.shape
    plan = ScanPlan(0, 1.0, 0, 1.0, WINDOW_PX)
    frames: Sequence[RgbImage] = [picture] * batch
    seconds = []
    boxes = 0
    for _ in range(rounds + 2):
        start = time.perf_counter()
        boxes = len(detector.detect(frames, plan, [0.0] * batch)[-1])
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds[2:])
    engine = detector.engine
    return ThroughputRow(
        size=f"{width}x{height}",
        batch=batch,
        precision=engine.precision.value,
        device=engine.device,
        backend=engine.backend,
        ms=round(median * 1e3, 2),
        frames_per_second=round(batch / median, 1),
        boxes=boxes,
    )


def _counts(text: str) -> list[int]:
    return [flags.count(part) for part in text.split(",")]
