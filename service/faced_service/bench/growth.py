"""Memory of the detector over many frames of changing sizes: its peak, and whether it still grows (Linux)."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faced_models.bundle import load_detector
from faced_models.scale import plan_scan
from faced_service.bench import arguments as flags
from faced_service.bench.memory import run_apart
from faced_service.bench.picture import bench_picture

_SEED = 20
_LARGEST = (1280, 960)
_SETTLED = 0.25
"""The part of the frames after which memory should grow no more."""


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """Resident MB of a process that runs only our detector, every size once and then all again in other orders.

    `settled_mb` is the peak after the first quarter of the frames, `growth_percent` how far the whole peak lies above
    it; `slope_mb` is what a straight line through the later frames' resident memory gains in 1,000 frames.
    """

    frames: int
    sizes: int
    ms: float
    start_mb: float
    settled_mb: float
    peak_mb: float
    growth_percent: float
    slope_mb: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many frames of how many sizes."""
    flags.add_threads(parser)
    parser.add_argument("--frames", type=flags.count, default=2000, help="how many (default: 2000)")
    parser.add_argument("--sizes", type=flags.count, default=200, help="how many different ones (default: 200)")
    parser.add_argument("--upsample", type=int, default=0, help="doublings before detection (default: 0)")


def run(arguments: argparse.Namespace) -> list[MemoryRow]:
    """Scan in a fresh process.

    Raises:
        ValueError: too few frames for the sizes.
    """
    frames, sizes = arguments.frames, arguments.sizes
    if frames * _SETTLED < sizes:
        raise ValueError(f"{frames} frames are too few for {sizes} sizes: each comes in the first quarter")
    code = f"from {__name__} import scan\nscan({frames}, {sizes}, {arguments.upsample}, {arguments.threads})"
    (line,), _ = run_apart(code)
    return [MemoryRow(**json.loads(line))]


def frame_sizes(count: int) -> list[tuple[int, int]]:
    """Random (width, height): seven of eight 300 to 700 pixels a side, the others 64 to 1280 by 64 to 960."""
    random = np.random.default_rng(_SEED)
    found: dict[tuple[int, int], None] = {}
    while len(found) < count:
        low, high = ((64, 64), _LARGEST) if len(found) % 8 == 0 else ((300, 300), (700, 700))
        width, height = random.integers(low, high, endpoint=True).tolist()
        found[width, height] = None
    return list(found)


def scan(frames: int, sizes: int, upsample: int, threads: int) -> None:
    """Detect, and print the row."""
    detector = load_detector(cpu_threads=threads)
    # Views of one picture: what is measured is the detector's memory, not the pictures'.
    largest = bench_picture(*_LARGEST)
    shapes = frame_sizes(sizes)
    random = np.random.default_rng(_SEED)
    order = [shapes[i] for _ in range(-(-frames // sizes)) for i in random.permutation(sizes)][:frames]
    start_mb = _status_mb("VmRSS")
    settled_at, settled_mb = int(frames * _SETTLED), start_mb
    later: list[float] = []
    begin = time.perf_counter()
    for frame, (width, height) in enumerate(order, start=1):
        plan = plan_scan(
            width,
            height,
            upsample_times=upsample,
            min_face_px=None,
            auto_upsample=0,
            max_upscaled_pixels=2_000_000,
            max_detect_pixels=8_300_000,
        )
        detector.detect([largest[:height, :width]], plan, [0.0])
        if frame == settled_at:
            settled_mb = _status_mb("VmHWM")
        elif frame > settled_at:
            later.append(_status_mb("VmRSS"))
    ms = (time.perf_counter() - begin) / frames * 1e3
    peak_mb = _status_mb("VmHWM")
    row = MemoryRow(
        frames=frames,
        sizes=sizes,
        ms=round(ms, 2),
        start_mb=round(start_mb, 1),
        settled_mb=round(settled_mb, 1),
        peak_mb=round(peak_mb, 1),
        growth_percent=round((peak_mb / settled_mb - 1) * 100, 2),
        slope_mb=round(_slope(np.array(later)) * 1000, 2),
    )
    sys.stdout.write(json.dumps(asdict(row)) + "\n")


def _slope(values: NDArray[np.float64]) -> float:
    """Of the least-squares line, per value."""
    at = np.arange(len(values)) - (len(values) - 1) / 2
    return float(at @ values / (at @ at))


def _status_mb(field: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024
