"""`faced-cli video` and `webcam` against their targets: rates, memory, age of a shown frame, JPEG against raw frames.

    python -m tests.bench.videos [--only rates|memory|age|jpeg] [--video FILE]

Rates are of the demo's video, 300 frames of 640x480 with one face, drawn and written as MP4 and JSONL; the bare
detector searches the same frames, which were decoded before. They alternate, and medians are compared.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np

from clients.demo import make_video
from faced_models.bundle import load_detector
from faced_models.scale import ScanPlan
from faced_proto.types import Box, Detection
from faced_service.bench.clip import video_frames
from faced_service.bench.live import match
from faced_service.bench.picture import picture_with_faces
from tests.bench.verdict import row
from tests.e2e.conftest import serve
from tests.process import peak_mb

CLI = (sys.executable, "-m", "faced_cli.main")
CORES = len(os.sched_getaffinity(0))
WAYS = {"exact": ("--upsample", "0"), "live": ("--upsample", "0", "--scan-interval", "10")}
STARTING = 20
"""Frames of the short run, by which the start is told from the rest."""
LEAST_SHARE = 0.8
LEAST_LIVE = 2.5
MOST_GROWTH = 0.1
MOST_LATE_MS = 15
LEAST_90, LEAST_60 = 0.95, 1.0


@dataclass(slots=True)
class Rates:
    """Frames/s of each round: as seen, and as its CPU time alone would allow."""

    seen: list[float] = field(default_factory=list)
    possible: list[float] = field(default_factory=list)


def video(clip: Path, folder: Path, *flags: str) -> tuple[float, float, float]:
    """Frames/s as the command tells them, CPU seconds of the whole command, and peak resident MB."""
    words = [*CLI, "video", str(clip), "-o", str(folder / "out.mp4"), "--jsonl", str(folder / "out.jsonl"), "--force"]
    before = os.times()
    with (folder / "said.txt").open("w+") as said:
        process = subprocess.Popen([*words, *flags], stdout=said, stderr=subprocess.STDOUT)
        peak = 0.0
        while process.poll() is None:
            try:
                peak = max(peak, peak_mb(process.pid))
            except (OSError, StopIteration):
                break  # it has ended in between
            time.sleep(0.1)
        code = process.wait()
        said.seek(0)
        text = said.read()
    if code:
        raise SystemExit(f"faced-cli video ended with {code}: {text.strip()}")
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    rate = re.search(r"\d+ frames, .*?([\d.]+) frames/s", text).group(1)
    return float(rate), used, peak


def rates(folder: Path, clip: Path | None, rounds: int, frames: int) -> bool:
    """The command, exact and live, beside the bare detector; and what it could reach with no core ever idle."""
    if clip is None:
        clip = folder / "demo.mp4"
        make_video(clip, frames)
    start = folder / "start.mp4"
    make_video(start, STARTING)
    images = list(video_frames(clip, None))
    detector, plan = load_detector(device="cpu"), ScanPlan(0, 1.0, 0, 1.0, 80.0)
    detector.detect(images[:1], plan, [0.0])
    bare, ways = [], {name: Rates() for name in WAYS}
    for _ in range(rounds):
        begin = time.perf_counter()
        for image in images:
            detector.detect([image], plan, [0.0])
        bare.append(len(images) / (time.perf_counter() - begin))
        for name, flags in WAYS.items():
            rate, used, _ = video(clip, folder, *flags)
            ways[name].seen.append(rate)
            # What the start takes is not a frame's.
            own = (used - video(start, folder, *flags)[1]) / (len(images) - STARTING)
            ways[name].possible.append(CORES / own)
        told = ", ".join(f"{name} {one.seen[-1]:.1f} of {one.possible[-1]:.1f}" for name, one in ways.items())
        print(f"frames/s: detector {bare[-1]:.1f}; seen, and possible with no core idle: {told}", flush=True)
    height, width = images[0].shape[:2]
    size = f"{len(images)} frames of {width}x{height}"
    exact, live = ways["exact"], ways["live"]
    share = statistics.median(exact.seen) / statistics.median(bare)
    most_share = statistics.median(exact.possible) / statistics.median(bare)
    faster = statistics.median(live.seen) / statistics.median(exact.seen)
    most_faster = statistics.median(live.possible) / statistics.median(exact.seen)
    return all(
        [
            row(
                f"{size}: video / bare detector, medians (with no core idle: {most_share:.2f})",
                f"{share:.2f}",
                f"at least {LEAST_SHARE}",
                share >= LEAST_SHARE,
            ),
            row(
                f"{size}: live, interval 10 / exact (with no core idle: {most_faster:.2f})",
                f"{faster:.2f}",
                f"at least {LEAST_LIVE}",
                faster >= LEAST_LIVE,
            ),
        ]
    )


def memory(folder: Path, frames: int, short: int = 500) -> bool:
    """Client and embedded server in one process, over a long video and a short one."""
    peaks = []
    for count in (short, frames):
        clip = folder / f"{count}.mp4"
        small_video(clip, count)
        peaks.append(video(clip, folder, "--scan-interval", "10", "--summary", str(folder / "page.html"))[2])
        print(f"{count} frames of 320x240: peak {peaks[-1]:.1f} MB", flush=True)
    growth = peaks[1] / peaks[0] - 1
    return row(
        f"peak memory, {frames} frames against {short}", f"{growth:+.1%}", "at most +10 %", growth <= MOST_GROWTH
    )


def small_video(path: Path, frames: int) -> None:
    """320x240 with a face that goes round."""
    cell = picture_with_faces(1)[:240, :320]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for i in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.roll(cell, 2 * i, axis=1), format="rgb24")))
        container.mux(stream.encode(None))


def age(folder: Path, clip: Path | None, seconds: float) -> bool:
    """How old a camera's frame is when its row is written, beside its own analysis."""
    if clip is None:
        clip = folder / "camera.mp4"
        with av.open(str(clip), "w") as container:
            stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
            for i in range(round(30 * seconds)):
                picture = np.roll(picture_with_faces(1), 2 * i, axis=1)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
    with av.open(str(clip)) as container:
        interval_ms = 1e3 / float(container.streams.video[0].average_rate)
    words = [*CLI, "webcam", "--camera", str(clip), "--no-display", "--duration", f"{seconds:g}"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    told = [one for one in map(json.loads, done.stdout.splitlines()) if "timing_ms" in one]
    ages = statistics.median(one["age_ms"] for one in told)
    work = statistics.median(one["timing_ms"]["total"] for one in told)
    late = ages - work - interval_ms
    print(f"{len(told)} frames: age {ages:.1f} ms, analysis {work:.1f} ms, a frame every {interval_ms:.1f} ms, medians")
    what = "webcam: age when shown - analysis - source interval"
    return row(what, f"{late:.1f} ms", f"at most {MOST_LATE_MS}", late <= MOST_LATE_MS)


def jpeg(folder: Path, clip: Path | None) -> bool:
    """Frames as JPEG 95 to a server, as remote runs send them, against raw ones in one process."""
    if clip is None:
        clip = folder / "jpeg.mp4"
        make_video(clip)
    runs = []
    with serve("--log-level", "error") as server:
        for flags in ((), ("--server", server.address)):
            video(clip, folder, *flags)
            runs.append([json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()])
    raw, sent = runs
    met: list[float] = []
    drift: dict[str, list[float]] = {}
    for one, other in zip(raw, sent, strict=True):
        met += match(boxes(one), boxes(other))
        for name, value in distances(one, other):
            drift.setdefault(name, []).append(value)
    told = ", ".join(f"{name} {statistics.mean(values):.3f}" for name, values in drift.items())
    print(f"{len(met)} boxes; drift, mean total variation of smoothed values: {told}")
    close, near = (float(np.mean(np.array(met) >= least)) for least in (0.9, 0.6))
    return all(
        [
            row(
                "JPEG 95 to a server against raw: boxes with IoU 0.9",
                f"{close:.1%}",
                "at least 95 %",
                close >= LEAST_90,
            ),
            row("the same, IoU 0.6", f"{near:.1%}", "all", near >= LEAST_60),
        ]
    )


def boxes(told: dict) -> list[Detection]:
    """Of a row."""
    edges = ("left", "top", "right", "bottom")
    return [Detection(Box(*(face["box"][edge] for edge in edges)), face["score"]) for face in told["faces"]]


def distances(one: dict, other: dict) -> Iterator[tuple[str, float]]:
    """Total variation between the distributions of faces that share a place, by attribute."""
    for face in one["faces"]:
        for partner in other["faces"]:
            if match(boxes({"faces": [face]}), boxes({"faces": [partner]}))[0] < 0.6:
                continue
            for name, value in face["attributes"].items():
                there = partner["attributes"].get(name, {})
                if "probabilities" in value and "probabilities" in there:
                    said = there["probabilities"]
                    yield name, sum(abs(p - said[label]) for label, p in value["probabilities"].items()) / 2


def main() -> int:
    """Print the table; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--video", type=Path, help="in place of the made ones (but for memory)")
    parser.add_argument("--only", choices=("rates", "memory", "age", "jpeg"))
    parser.add_argument("--rounds", type=int, default=5, help="of rates")
    parser.add_argument("--frames", type=int, default=300, help="of rates")
    parser.add_argument("--long", type=int, default=10_000, help="frames of memory's long video")
    parser.add_argument("--seconds", type=float, default=12.0, help="of the camera")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: dict[str, Callable[[], bool]] = {
            "rates": lambda: rates(folder, asked.video, asked.rounds, asked.frames),
            "age": lambda: age(folder, asked.video, asked.seconds),
            "jpeg": lambda: jpeg(folder, asked.video),
            "memory": lambda: memory(folder, asked.long),
        }
        verdicts = [part() for name, part in parts.items() if asked.only in (None, name)]
    return int(not all(verdicts))


if __name__ == "__main__":
    sys.exit(main())
