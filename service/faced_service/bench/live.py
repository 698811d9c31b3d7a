"""Live mode beside full scans of every frame: frame rates, boxes found again; detection only, alternating."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from faced_models.bundle import load_detector
from faced_models.detector import Detector
from faced_models.dlib_detector import HogDetector
from faced_models.scale import MAX_UPSAMPLE_TIMES, ScanPlan, plan_scan
from faced_proto.types import Detection, RgbImage
from faced_service.batcher import Served
from faced_service.bench.arguments import add_device, add_threads, count
from faced_service.bench.clip import moving_face, video_frames
from faced_service.bench.detector import intersection_over_union
from faced_service.frame_order import FrameOrder
from faced_service.live_scan import MAX_SCAN_INTERVAL, LiveScan
from faced_service.settings import Settings

_MADE_FRAMES = 100


@dataclass(frozen=True, slots=True)
class LiveRow:
    """One clip: frames a second of detection, their ratio, and how the boxes of every frame's full scan are met.

    `found_60` and `found_90` are the shares of these boxes that a box of live mode, each used once, meets with an IoU
    of at least 0.6 and 0.9; `extra` boxes of live mode meet none. `hog_fps` is the rate of dlib's HOG on
    the same frames with the same doublings, where asked for.
    """

    clip: str
    size: str
    upsample: int
    interval: int
    frames: int
    every_frame_fps: float
    live_fps: float
    ratio: float
    boxes: int
    found_60: float
    found_90: float
    extra: int
    full_scans: int
    hog_fps: float | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Clip, interval, scale."""
    parser.add_argument("--video", type=Path, metavar="F", help="measure on this clip instead of a made one")
    parser.add_argument("--interval", type=_interval, default=10, metavar="N", help="full scans (default: 10)")
    parser.add_argument("--frames", type=count, metavar="N", help=f"how many (default: all; made: {_MADE_FRAMES})")
    parser.add_argument("--upsample", type=_upsample, default=0, metavar="N", help="doublings (default: 0)")
    parser.add_argument("--hog", action="store_true", help="time dlib's HOG detector too")
    add_threads(parser)
    add_device(parser)


def run(arguments: argparse.Namespace) -> list[LiveRow]:
    """One row.

    Raises:
        ValueError: the clip cannot be read.
        DeviceError, WeightsError: as `load_detector`.
    """
    detector = load_detector(device=arguments.device, cpu_threads=arguments.threads)
    if arguments.video is None:
        name, frames = "made", moving_face(arguments.frames or _MADE_FRAMES)
    else:
        name, frames = arguments.video.name, video_frames(arguments.video, arguments.frames)
    hog = HogDetector() if arguments.hog else None
    interval, upsample = arguments.interval, arguments.upsample
    return [asyncio.run(measure_live(name, frames, detector, interval=interval, upsample=upsample, hog=hog))]


async def measure_live(
    clip: str,
    frames: Iterable[RgbImage],
    detector: Detector,
    *,
    interval: int,
    upsample: int,
    hog: HogDetector | None = None,
) -> LiveRow:
    """Search each frame in full and in live mode, in turn.

    Raises:
        ValueError: there are no frames.
    """

    async def detect(image: RgbImage, plan: ScanPlan) -> Served[tuple[Detection, ...]]:
        begin = perf_counter()
        found = detector.detect([image], plan, [0.0])[0]
        return Served(found, 0.0, perf_counter() - begin)

    live, order = LiveScan(interval), FrameOrder()
    full_s = live_s = hog_s = 0.0
    count_frames = full_scans = extra = 0
    matches: list[float] = []
    plan, size = None, ""
    for image in frames:
        if plan is None:
            height, width, _ = image.shape
            plan, size = _plan(width, height, upsample), f"{width}x{height}"
            await detect(image, plan)
        every = await detect(image, plan)
        begin = perf_counter()
        scan = await live.turn(order.place()).scan(image, plan, detect)
        live_s += perf_counter() - begin
        full_s += every.worked
        if hog is not None:
            begin = perf_counter()
            hog.detect(image, plan.upsample_times, 0.0)
            hog_s += perf_counter() - begin
        count_frames += 1
        full_scans += scan.full
        met = match(every.value, scan.faces)
        matches += met
        extra += len(scan.faces) - sum(iou > 0 for iou in met)
    if plan is None:
        raise ValueError(f"{clip}: there are no frames in it")
    return LiveRow(
        clip=clip,
        size=size,
        upsample=plan.upsample_times,
        interval=interval,
        frames=count_frames,
        every_frame_fps=round(count_frames / full_s, 2),
        live_fps=round(count_frames / live_s, 2),
        ratio=round(full_s / live_s, 2),
        boxes=len(matches),
        found_60=_share(matches, 0.6),
        found_90=_share(matches, 0.9),
        extra=extra,
        full_scans=full_scans,
        hog_fps=None if hog is None else round(count_frames / hog_s, 2),
    )


def match(expected: Sequence[Detection], found: Sequence[Detection]) -> list[float]:
    """For each expected face the IoU with its partner, closest pairs first, none used twice; 0 without one."""
    pairs = [(intersection_over_union(a.box, b.box), i, j) for i, a in enumerate(expected) for j, b in enumerate(found)]
    met, used = [0.0] * len(expected), set[int]()
    for iou, i, j in sorted(pairs, reverse=True):
        if iou > 0 and met[i] == 0 and j not in used:
            met[i] = iou
            used.add(j)
    return met


def _plan(width: int, height: int, upsample: int) -> ScanPlan:
    settings = Settings()
    return plan_scan(
        width,
        height,
        upsample_times=upsample,
        min_face_px=None,
        auto_upsample=0,
        max_upscaled_pixels=settings.max_upscaled_pixels,
        max_detect_pixels=settings.max_detect_pixels,
    )


def _share(matches: Sequence[float], least: float) -> float:
    return round(sum(iou >= least for iou in matches) / len(matches), 4) if matches else 1.0


def _interval(text: str) -> int:
    if count(text) > MAX_SCAN_INTERVAL:
        raise argparse.ArgumentTypeError(f"{text} is no interval: 1 to {MAX_SCAN_INTERVAL}")
    return int(text)


def _upsample(text: str) -> int:
    if not text.isdigit() or int(text) > MAX_UPSAMPLE_TIMES:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of doublings: 0 to {MAX_UPSAMPLE_TIMES}")
    return int(text)
