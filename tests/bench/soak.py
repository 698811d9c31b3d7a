"""A server under mixed sizes and callers for a long time: memory, threads and open files (Linux).

    python -m tests.bench.soak --minutes 30

Callers come and go: single pictures of a few hundred sizes, raw and as files; streams in both modes, with and without
tracks; requests that are refused; callers that leave in mid-stream. All begin with the largest picture. Memory is that
of the server process, its growth the last tenth's median over the median of the tenth that follows the warm-up (the
first fifth).
"""

import argparse
import itertools
import random
import statistics
import sys
import threading
import time
from collections import Counter

import cv2
import numpy as np

from faced_client import Client, FacedError, FrameFailure, InvalidRequest, Overloaded, StreamConfig, StreamMode
from faced_service.bench.picture import bench_picture
from tests.e2e.conftest import serve
from tests.process import open_files, resident_mb, threads

MOST_GROWTH = 0.03
CALLERS = 6
WARM_UP = 0.2
PAUSE_S = 0.5
"""Between calls of one caller: memory is asked for, not the machine's last cycle."""


class Load:
    """Callers in threads; `counts` says what came of their calls, `faults` what should not have."""

    def __init__(self, address: str, seed: int) -> None:
        self._address = address
        self._ended = threading.Event()
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self._largest = bench_picture(1280, 960)
        self._threads = [threading.Thread(target=self._call, args=(seed + i,)) for i in range(CALLERS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _call(self, seed: int) -> None:
        dice = random.Random(seed)
        some = [self._one, self._one, self._one, self._file, self._stream, self._live, self._leave, self._refused]
        # What the largest pictures need is kept for the next ones: without them at the start, each that is larger than
        # all before would look like growth.
        ways = itertools.chain([self._whole], iter(lambda: dice.choice(some), None))
        while not self._ended.is_set():
            with Client(self._address) as client:
                for way in itertools.islice(ways, dice.randint(1, 20)):
                    try:
                        way(client, dice)
                        self.counts[way.__name__.strip("_")] += 1
                    except Overloaded:
                        self.counts["overloaded"] += 1
                    except FacedError as error:
                        self.faults.append(f"{way.__name__}: {type(error).__name__}: {error}")
                    if self._ended.wait(dice.uniform(0, 2 * PAUSE_S)):
                        return

    def _picture(self, dice: random.Random) -> np.ndarray:
        if dice.random() < 0.1:
            return self._largest[: dice.randint(64, 960), : dice.randint(64, 1280)]
        return self._largest[: dice.randrange(200, 520, 16), : dice.randrange(200, 680, 16)]

    def _whole(self, client: Client, _dice: random.Random) -> None:
        for upsample_times in (1, 0):
            client.analyze(self._largest, upsample_times=upsample_times, timeout=60)
        client.analyze(cv2.imencode(".png", self._largest)[1].tobytes(), upsample_times=0, timeout=60)

    def _one(self, client: Client, dice: random.Random) -> None:
        client.analyze(self._picture(dice), upsample_times=int(dice.random() < 0.1), rotation=dice.choice([0, 0, 90]))

    def _file(self, client: Client, dice: random.Random) -> None:
        kind = dice.choice([".jpg", ".png", ".webp", ".bmp"])
        client.analyze(cv2.imencode(kind, self._picture(dice))[1].tobytes(), upsample_times=0)

    def _stream(self, client: Client, dice: random.Random) -> None:
        picture = self._picture(dice)
        config = StreamConfig(track=dice.random() < 0.5, scan_interval=dice.choice([1, 5]))
        outcomes = list(client.stream([picture] * dice.randint(1, 12), config))
        self.faults += [str(outcome.result) for outcome in outcomes if isinstance(outcome.result, FrameFailure)]

    def _live(self, client: Client, dice: random.Random) -> None:
        picture = self._picture(dice)
        config = StreamConfig(mode=StreamMode.LIVE, track=True, smoothing_half_life=1.0, max_frame_age=1.0)
        for _ in client.stream((picture for _ in range(dice.randint(5, 25))), config):
            pass

    def _leave(self, client: Client, dice: random.Random) -> None:
        picture = self._picture(dice)
        stream = client.stream(itertools.repeat(picture))
        for _ in range(dice.randint(1, 4)):
            next(stream)
        stream.close()

    def _refused(self, client: Client, dice: random.Random) -> None:
        try:
            if dice.random() < 0.5:
                client.analyze(dice.randbytes(dice.randint(1, 5000)))
            else:
                client.analyze(self._picture(dice), threshold=99.0)
        except InvalidRequest:
            return
        self.faults.append("what must be refused was not")


def median_of(samples: list[tuple[float, ...]], column: int, begin: float, end: float) -> float:
    """Of a column, over a part of the samples."""
    count = len(samples)
    return statistics.median(row[column] for row in samples[int(count * begin) : max(int(count * end), 1)])


def main() -> int:
    """Print a line a minute, then the verdict; 1 if memory, threads or files grew, or something failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    samples: list[tuple[float, ...]] = []
    begun = time.monotonic()
    seconds = arguments.minutes * 60
    with serve("--log-level", "error") as server:
        pid = server.process.pid
        with Load(server.address, arguments.seed) as load:
            while (at := time.monotonic() - begun) < seconds:
                samples.append((resident_mb(pid), threads(pid), open_files(pid)))
                if len(samples) % 60 == 1:
                    mb, workers, files = samples[-1]
                    print(f"{at / 60:5.1f} min  {mb:6.1f} MB  {workers:3.0f} threads  {files:3.0f} files", flush=True)
                time.sleep(min(1.0, seconds / 100))
        load_counts, faults = load.counts, load.faults
    late = WARM_UP + 0.1
    begin_mb, end_mb = median_of(samples, 0, WARM_UP, late), median_of(samples, 0, 0.9, 1.0)
    growth = end_mb / begin_mb - 1
    grown = [median_of(samples, column, 0.9, 1.0) - median_of(samples, column, WARM_UP, late) for column in (1, 2)]
    print(f"{arguments.minutes:g} minutes: {dict(load_counts)}")
    print(f"memory {begin_mb:.1f} MB -> {end_mb:.1f} MB: {growth:+.2%} (at most {MOST_GROWTH:.0%})")
    print(f"threads {grown[0]:+g}, open files {grown[1]:+g}")
    for fault in faults[:10]:
        print("FAULT", fault)
    return int(growth > MOST_GROWTH or grown[0] > 2 or grown[1] > 8 or bool(faults))


if __name__ == "__main__":
    sys.exit(main())
