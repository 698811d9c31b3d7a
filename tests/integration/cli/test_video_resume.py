"""Runs that are killed and resumed against one that was left alone: rows, videos and tables."""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

FACED_CLI = (sys.executable, "-m", "faced_cli.main")
FRAMES = 75


@pytest.fixture(scope="module")
def crossing(astronaut, tmp_path_factory):
    """Two people of 96 px who cross twice in three seconds, with an AAC tone."""
    path = tmp_path_factory.mktemp("crossing") / "crossing.mp4"
    head = astronaut[20:220, 120:320]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 480, 240, "yuv420p"
        sound = container.add_stream("aac", rate=44100, layout="mono")
        for i in range(FRAMES):
            left = 140 + round(140 * np.cos(i / 12))
            wide = np.full((240, 480, 3), 120, np.uint8)
            for place, who in ((left, head), (280 - left, head[:, ::-1])):
                wide[20:220, place : place + 200] = who
            container.mux(stream.encode(av.VideoFrame.from_ndarray(wide, format="rgb24")))
        container.mux(stream.encode(None))
        tone = (20000 * np.sin(2 * np.pi * 440 * np.arange(44100 * FRAMES // 25) / 44100)).astype(np.int16)
        for start in range(0, len(tone) - 1023, 1024):
            block = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="s16", layout="mono")
            block.rate, block.pts = 44100, start
            container.mux(sound.encode(block))
        container.mux(sound.encode(None))
    return path


class Run:
    """One set of outputs in a folder, as `faced-cli video` makes them."""

    def __init__(self, folder, *sources, options=()):
        folder.mkdir()
        self.folder = folder
        self.rows, self.table, self.video = folder / "rows.jsonl", folder / "rows.csv", folder / "out.mp4"
        output = self.video if len(sources) == 1 else folder
        self.command = [*FACED_CLI, "video", *sources, "-o", output, "--jsonl", self.rows, "--csv", self.table]
        self.command += ["--parquet", folder / "rows.parquet", "--summary", folder / "page.html", *options]

    def whole(self, *more):
        return subprocess.run([*self.command, *more], capture_output=True, text=True, check=True, timeout=200)

    def killed_at(self, rows, *more):
        """Ends the run without warning as soon as there are so many rows."""
        with subprocess.Popen([*self.command, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            end = time.monotonic() + 200
            while process.poll() is None and len(self.lines()) < rows:
                assert time.monotonic() < end
                time.sleep(0.005)
            process.kill()
        assert process.returncode == -signal.SIGKILL
        return len(self.lines())

    def lines(self):
        text = self.rows.read_text() if self.rows.exists() else ""
        return text.split("\n")[:-1]

    def check_equals(self, other):
        assert_close([self.content(line) for line in self.lines()], [self.content(line) for line in other.lines()])
        with self.table.open() as one, other.table.open() as two:
            assert_close(list(csv.reader(one)), list(csv.reader(two)))
        for video in other.folder.glob("*.mp4"):
            assert times(self.folder / video.name) == times(video)
            assert packets(self.folder / video.name) == packets(video)
        names = {path.name for path in other.folder.iterdir()}
        assert {path.name for path in self.folder.iterdir()} == names
        parquet = pytest.importorskip("pyarrow.parquet")
        one, two = (parquet.read_table(run.folder / "rows.parquet").to_pylist() for run in (self, other))
        assert_close(one, two)
        assert (self.folder / "page.html").read_text() == (other.folder / "page.html").read_text()

    @staticmethod
    def content(line):
        row = json.loads(line)
        row.pop("timing_ms")
        return row


def assert_close(one, other):
    """Equal, but for 1e-4 in numbers that are no integers."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key, value in one.items():
            assert_close(value, other[key])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_close(a, b)
    elif isinstance(one, float):
        assert one == pytest.approx(other, abs=1e-4)
    else:
        assert one == other


def times(path):
    with av.open(str(path)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


def pictures(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def packets(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


@pytest.fixture(scope="module")
def unbroken(crossing, tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("unbroken") / "run", crossing)
    run.whole()
    rows = [run.content(line) for line in run.lines()]
    assert [row["frame"] for row in rows] == list(range(FRAMES))
    odd = [row for row in rows if {face["track_id"] for face in row["faces"]} != {1, 2}]
    assert {face["track_id"] for row in rows for face in row["faces"]} == {1, 2}, odd
    return run


def test_killed_twice_and_resumed_is_as_if_nothing_had_been(crossing, unbroken, tmp_path):
    run = Run(tmp_path / "run", crossing)
    first = run.killed_at(8)
    assert run.folder.joinpath("rows.jsonl.journal").exists()
    if run.video.exists():
        assert len(times(run.video)) >= 1
    second = run.killed_at(60, "--resume")
    assert 8 <= first < second < FRAMES
    assert len(times(run.video)) >= 20
    told = run.whole("--resume").stdout
    assert f"{crossing}: {FRAMES} frames, " in told
    run.check_equals(unbroken)
    again = run.whole("--resume")
    assert "nothing to resume" in again.stderr
    assert len(run.lines()) == FRAMES


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_killed_at_a_random_moment(crossing, unbroken, tmp_path, seed):
    run = Run(tmp_path / "run", crossing)
    run.killed_at(random.Random(seed).randrange(FRAMES - 2))
    run.whole("--resume")
    run.check_equals(unbroken)


@pytest.mark.parametrize("options", [("--scan-interval", "10"), pytest.param(("--every", "4"), marks=pytest.mark.slow)])
def test_other_ways_of_running_are_resumed_too(crossing, tmp_path, options):
    whole, run = (Run(tmp_path / name, crossing, options=options) for name in ("whole", "run"))
    whole.whole()
    run.killed_at(13)
    run.whole("--resume")
    run.check_equals(whole)


@pytest.mark.slow
def test_several_videos_are_resumed_in_the_one_that_was_cut_off(crossing, clip, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video")
    whole, run = (Run(tmp_path / name, clip, bad, crossing, options=("--attributes", "none")) for name in ("a", "b"))
    ended = subprocess.run(whole.command, capture_output=True, text=True, timeout=200)
    assert (ended.returncode, ended.stderr.count(f"faced-cli: {bad}: is no video")) == (3, 1)
    assert [Path(row["source"]).name for row in map(json.loads, whole.lines())] == ["clip.mp4"] * 24 + [
        "crossing.mp4"
    ] * FRAMES
    run.killed_at(24 + 20)
    run.whole("--resume")
    run.check_equals(whole)


def test_what_does_not_fit_is_not_resumed(crossing, tmp_path):
    run = Run(tmp_path / "run", crossing, options=("--attributes", "none"))
    run.killed_at(5)

    def refused(*more):
        ended = subprocess.run([*run.command, "--resume", *more], capture_output=True, text=True, timeout=60)
        assert ended.returncode == 2
        return ended.stderr

    assert "had other options" in refused("--every", "2")
    run.rows.write_text("")
    assert "is shorter than" in refused()
    os.utime(crossing)
    assert "had other videos" in refused()
    begun_anew = run.whole("--force")
    assert f"{FRAMES} frames" in begun_anew.stdout
    assert len(run.lines()) == FRAMES


KILLED_AT_THE_FIFTH_ROW = """
import os, signal, sys
from faced_cli.journal import Journal
from faced_cli.main import main
add, rows = Journal.add, []

def add_and_count(journal, entry):
    add(journal, entry)
    rows.append(entry)
    if len(rows) == 5:
        os.kill(os.getpid(), signal.SIGKILL)

Journal.add = add_and_count
main()
"""


def test_nothing_of_an_older_run_is_taken_over(crossing, unbroken, tmp_path):
    # Killed while the encoder still looks ahead, so that nothing of the new video is on the disk.
    whole, run = (Run(tmp_path / name, crossing, options=("--blur", "all")) for name in ("whole", "run"))
    shutil.copy(unbroken.video, run.video)
    for path in (run.rows, run.table):
        path.write_text("older\n" * 10_000)
    command = [sys.executable, "-c", KILLED_AT_THE_FIFTH_ROW, *run.command[len(FACED_CLI) :], "--force"]
    assert subprocess.run(command, capture_output=True, timeout=200).returncode == -signal.SIGKILL
    assert (run.folder / "rows.jsonl.journal").exists()
    run.whole("--resume")
    whole.whole()
    run.check_equals(whole)
    for one, other in zip(pictures(run.video), pictures(whole.video), strict=True):
        assert abs(one.astype(int) - other).mean() < 4
