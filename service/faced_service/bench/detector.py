"""Milliseconds and boxes beside dlib's own detector, alternating in one process, on the same pictures."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from faced_models.bundle import load_detector
from faced_models.detector import Detector
from faced_models.scale import WINDOW_PX, ScanPlan
from faced_proto.types import Box, Detection, Precision, RgbImage
from faced_service.bench import arguments as flags
from faced_service.bench.flops import network_gflop, peak_gflops
from faced_service.bench.memory import detector_peak_mb
from faced_service.bench.picture import bench_picture, read_picture

_SAME_FACE_IOU = 0.5
_MOVED_PX = 1.0


@dataclass(frozen=True, slots=True)
class DetectorRow:
    """One size: median milliseconds of both, their ratio (the reference's over ours), and how the boxes compare.

    `missing` and `extra` are boxes of one that meet none of the other with IoU of at least 0.5; `moved` met one, and
    a side is more than a pixel off. Without a reference all these are None. `peak_mb` is the peak memory of a process
    that runs only our detector, 20 times. `gflop` is the network's arithmetic as dlib defines it, `gflops` what ours
    reaches of it a second, the pyramid and everything else included in its time, and `peak_share` how much that is of
    what the CPU reaches in a float32 matrix product on as many threads; None on another device.
    """

    size: str
    upsample: int
    precision: str
    backend: str
    ms: float
    reference: str
    reference_ms: float | None
    ratio: float | None
    boxes: int
    missing: int | None
    extra: int | None
    moved: int | None
    peak_mb: float
    gflop: float
    gflops: float
    peak_share: float | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is measured, and on what."""
    flags.add_threads(parser)
    flags.add_sizes(parser)
    flags.add_rounds(parser)
    flags.add_device(parser)
    parser.add_argument("--reference", choices=("dlib", "none"), default="dlib", help="default: dlib; it is slow")
    parser.add_argument("--image", type=Path, help="measure on this picture instead")
    parser.add_argument("--upsample", type=int, default=0, help="doublings before detection (default: 0)")
    parser.add_argument("--precision", type=Precision, default=Precision.EXACT, help="exact or fast")
    parser.add_argument("--backend", default="auto", help="auto, ort, openvino (default: auto)")


def run(arguments: argparse.Namespace) -> list[DetectorRow]:
    """One row for each size, or the one picture."""
    ours = load_detector(
        backend=arguments.backend,
        device=arguments.device,
        precision=arguments.precision,
        cpu_threads=arguments.threads,
    )
    reference = load_detector(backend="dlib") if arguments.reference == "dlib" else None
    peak = peak_gflops(arguments.threads) if ours.engine.device == "cpu" else None
    pictures: list[RgbImage]
    if arguments.image:
        pictures = [read_picture(arguments.image)]
    else:
        pictures = [bench_picture(*size) for size in arguments.sizes]
    return [
        compare(
            picture,
            arguments.upsample,
            ours=ours,
            reference=reference,
            rounds=arguments.rounds,
            threads=arguments.threads,
            peak=peak,
        )
        for picture in pictures
    ]


def compare(
    picture: RgbImage,
    upsample: int,
    *,
    ours: Detector,
    reference: Detector | None,
    rounds: int,
    threads: int,
    peak: float | None,
) -> DetectorRow:
    """Measure one picture: each round runs the reference once and ours five times. `peak` is in GFLOP/s."""
    height, width, _ = picture.shape
    plan = ScanPlan(upsample, 1.0, 0, 2.0**upsample, WINDOW_PX / 2.0**upsample)
    found = ours.detect([picture], plan, [0.0])[0]
    expected: tuple[Detection, ...] = ()
    mine, theirs = [], []
    for _ in range(rounds):
        if reference is not None:
            expected, seconds = _timed(partial(reference.detect, [picture], plan, [0.0]))
            theirs.append(seconds)
        mine += [_timed(partial(ours.detect, [picture], plan, [0.0]))[1] for _ in range(5)]
    ms = statistics.median(mine) * 1e3
    reference_ms = statistics.median(theirs) * 1e3 if theirs else None
    missing, extra, moved = compare_boxes(found, expected) if theirs else (None, None, None)
    engine = ours.engine
    gflop = network_gflop(width, height, upsample)
    gflops = gflop / ms * 1e3
    return DetectorRow(
        size=f"{width}x{height}",
        upsample=upsample,
        precision=engine.precision.value,
        backend=engine.backend,
        ms=round(ms, 2),
        reference="dlib" if theirs else "none",
        reference_ms=None if reference_ms is None else round(reference_ms, 2),
        ratio=None if reference_ms is None else round(reference_ms / ms, 2),
        boxes=len(found),
        missing=missing,
        extra=extra,
        moved=moved,
        peak_mb=detector_peak_mb(width, height, upsample, engine, threads),
        gflop=round(gflop, 2),
        gflops=round(gflops, 1),
        peak_share=None if peak is None else round(gflops / peak, 3),
    )


def compare_boxes(found: Sequence[Detection], expected: Sequence[Detection]) -> tuple[int, int, int]:
    """How many of `expected` are missing, how many of `found` are extra, and how many pairs moved."""
    rest = [face.box for face in found]
    missing = moved = 0
    for face in expected:
        partner = max(rest, key=lambda box: intersection_over_union(box, face.box), default=None)
        if partner is None or intersection_over_union(partner, face.box) < _SAME_FACE_IOU:
            missing += 1
            continue
        rest.remove(partner)
        moved += _distance(partner, face.box) > _MOVED_PX
    return missing, len(rest), moved


def intersection_over_union(a: Box, b: Box) -> float:
    """The usual one, 0 to 1 (not dlib's)."""
    width = max(0.0, min(a.right, b.right) - max(a.left, b.left))
    height = max(0.0, min(a.bottom, b.bottom) - max(a.top, b.top))
    inner = width * height
    return inner / (a.width * a.height + b.width * b.height - inner)


def _distance(a: Box, b: Box) -> float:
    return max(abs(a.left - b.left), abs(a.top - b.top), abs(a.right - b.right), abs(a.bottom - b.bottom))


def _timed(detect: Callable[[], list[tuple[Detection, ...]]]) -> tuple[tuple[Detection, ...], float]:
    start = time.perf_counter()
    (faces,) = detect()
    return faces, time.perf_counter() - start
