"""The live page against the server's own time, and ten cameras at once, each against its target.

    python -m tests.bench.web --video FILE

Needs Chromium for the first part. Its camera plays the video, cut to 640x480; the page runs with its own settings, and
tells for every picture the time from taking it out of the video until its boxes are drawn, and the server's own time.
The ten are callers of the camera socket in one process, which do as the page does at 30 frames/s each.
"""

import argparse
import asyncio
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from websockets.asyncio.client import connect

from faced_proto.types import RgbImage
from faced_service.bench.clip import moving_face, video_frames
from tests.bench.verdict import row
from tests.browser import camera_file, chromium, chromium_path
from tests.e2e.conftest import Server, serve
from tests.process import resident_mb

SIZE = (640, 480)
MOST_RATIO = 1.3
SOCKETS = 10
CAMERA_S = 1 / 30
RENEW_S = 0.150
LEAST_FAIR = 0.8
"""The slowest of ten against their mean."""
MOST_OLD_S = 0.3
"""Newest always: a picture's age as work on it begins, while nine others have their turns between two of its camera."""
MOST_GROWTH_MB = 15
WARM_UP = 0.3


def page_of(server: Server) -> str:
    return re.search(r"live page on (\S+)", server.said())[1]


def in_browser(url: str, clip: Path, seconds: float) -> bool:
    """The page with its camera: milliseconds until the boxes are drawn, and the server's own."""
    with chromium(clip) as browser:
        page = browser.new_context(viewport={"width": 1280, "height": 900}, permissions=["camera"]).new_page()
        page.goto(url)
        page.click("#start")
        page.locator("#faces .face").first.wait_for()
        page.wait_for_timeout(2000)
        page.evaluate(
            """() => {
                const meters = faced.live.meters, told = meters.answered.bind(meters);
                globalThis.measured = [];
                meters.answered = (took, server) => (measured.push([took, server]), told(took, server));
            }"""
        )
        page.wait_for_timeout(seconds * 1000)
        took, server = np.array(page.evaluate("() => measured")).T
    print(
        f"page at {SIZE[0]}x{SIZE[1]}: {len(took) / seconds:.1f} pictures/s; until the boxes are drawn "
        f"{np.median(took):.1f} ms (p95 {np.percentile(took, 95):.1f}), the server's own {np.median(server):.1f} ms"
    )
    ratio = float(np.median(took) / np.median(server))
    return row("browser to overlay / server, medians", f"{ratio:.2f} x", f"at most {MOST_RATIO} x", ratio <= MOST_RATIO)


@dataclass
class Seen:
    """What one camera was told: when answers came, how old their pictures were then, and as work on them began."""

    times: list[float] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    begins: list[float] = field(default_factory=list)
    dropped: int = 0
    faults: list[str] = field(default_factory=list)


async def camera(url: str, pictures: list[bytes], end: float, seen: Seen, offset: float) -> None:
    """Sends its newest picture as the page does."""
    async with connect(f"{url.replace('http', 'ws', 1)}v1/stream", max_size=None) as socket:
        await socket.send(json.dumps({"type": "start", "smoothing_half_life": 0.5}))
        credits = json.loads(await socket.recv())["credits"]
        sent: dict[int, float] = {}
        number, last, work = 0, -1.0, 0.1
        room = asyncio.Event()

        async def hear() -> None:
            nonlocal work
            async for text in socket:
                answer, now = json.loads(text), time.perf_counter()
                began = sent.pop(answer["frame"])
                if "faces" in answer:
                    timing = answer["timing_ms"]
                    work = (timing["total"] - timing["queue"]) / 1000
                    seen.times.append(now)
                    seen.ages.append(now - began)
                    seen.begins.append(now - work - began)
                elif answer.get("dropped") == "superseded":
                    seen.dropped += 1
                else:
                    seen.faults.append(text)
                room.set()

        hearer = asyncio.create_task(hear())
        begun = time.perf_counter() + offset
        while (now := time.perf_counter()) < end:
            if not sent or (now - last > max(RENEW_S, 1.2 * work) and len(sent) < credits):
                # The newest that the camera has by now.
                index = int(max(now - begun, 0) / CAMERA_S)
                sent[number], last = now, now
                number += 1
                await socket.send(pictures[index % len(pictures)])
            room.clear()
            waits = CAMERA_S - (time.perf_counter() - begun) % CAMERA_S
            # The answer makes room at once; else the next picture of the camera is waited for.
            try:
                async with asyncio.timeout(waits):
                    await room.wait()
            except TimeoutError:
                pass
        await socket.close()
        await asyncio.gather(hearer, return_exceptions=True)


async def at_once(server: Server, pictures: list[bytes], seconds: float) -> bool:
    """Ten cameras: rates, the age of what is answered, memory."""
    url, begun = page_of(server), time.perf_counter()
    seen = [Seen() for _ in range(SOCKETS)]
    memory: list[tuple[float, float]] = []

    async def watch() -> None:
        while True:
            memory.append((time.perf_counter() - begun, resident_mb(server.process.pid)))
            await asyncio.sleep(0.5)

    watcher = asyncio.create_task(watch())
    cameras = (camera(url, pictures, begun + seconds, one, i * CAMERA_S / SOCKETS) for i, one in enumerate(seen))
    await asyncio.gather(*cameras)
    watcher.cancel()
    counts = [len(one.times) for one in seen]
    ages, begins = np.concatenate([one.ages for one in seen]), np.concatenate([one.begins for one in seen])
    gaps = [max(np.diff([begun, *one.times, begun + seconds])) for one in seen]
    later = [mb for when, mb in memory if when > WARM_UP * seconds]
    growth = statistics.median(later[-len(later) // 5 :]) - statistics.median(later[: len(later) // 5])
    print(
        f"{SOCKETS} cameras for {seconds:g} s: {sum(counts) / seconds:.1f} pictures/s together, "
        f"{min(counts) / seconds:.2f} to {max(counts) / seconds:.2f} each; {sum(one.dropped for one in seen)} left out "
        f"for newer ones; age when answered {np.median(ages) * 1e3:.0f} ms (p99 {np.percentile(ages, 99) * 1e3:.0f})"
    )
    fair = min(counts) / statistics.mean(counts)
    old = float(np.percentile(begins, 99))
    verdicts = [
        row("ten at once: longest silence of one", f"{max(gaps):.2f} s", "at most 5 s", max(gaps) <= 5),
        row("slowest / mean", f"{fair:.2f}", f"at least {LEAST_FAIR}", fair >= LEAST_FAIR),
        row("age of a picture as work on it begins, p99", f"{old:.2f} s", f"at most {MOST_OLD_S} s", old <= MOST_OLD_S),
        row(
            "memory, growth after the warm-up",
            f"{growth:.1f} MB",
            f"at most {MOST_GROWTH_MB} MB",
            growth <= MOST_GROWTH_MB,
        ),
    ]
    for fault in [fault for one in seen for fault in one.faults][:10]:
        print("FAULT", fault)
    return all(verdicts) and not any(one.faults for one in seen)


def main() -> int:
    """Print the table; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--video", type=Path, help="what the cameras see; without it, a face that moves")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each part")
    parser.add_argument("--only", choices=("browser", "sockets"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serve("--web-port", "0", "--log-level", "error") as server:
        camera = camera_file(frames_of(arguments.video), Path(folder), size=SIZE)
        met = True
        if arguments.only != "sockets":
            if chromium_path() is None:
                print("Chromium is not installed: the page was not measured")
                met = False
            else:
                met = in_browser(page_of(server), camera, arguments.seconds)
        if arguments.only != "browser":
            pictures = pictures_in(camera)
            met = asyncio.run(at_once(server, pictures, arguments.seconds)) and met
    return int(not met)


def frames_of(video: Path | None) -> Iterator[RgbImage]:
    return moving_face(240) if video is None else video_frames(video, None)


def pictures_in(camera: Path) -> list[bytes]:
    """The JPEG files of a motion JPEG."""
    start = b"\xff\xd8\xff"
    return [start + rest for rest in camera.read_bytes().split(start)[1:]]


if __name__ == "__main__":
    sys.exit(main())
