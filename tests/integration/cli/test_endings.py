"""How a command ends when something outside ends it: signals, readers that leave, full outputs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

FACED_CLI = (sys.executable, "-m", "faced_cli.main")
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


@pytest.fixture(scope="module")
def long_clip(clip, tmp_path_factory) -> Path:
    """The clip over and over: 300 frames."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    with av.open(str(clip)) as source:
        pictures = [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)]
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 256, 256, "yuv420p"
        for i in range(300):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pictures[i % 24], format="rgb24")))
        container.mux(stream.encode(None))
    return path


def frames_in(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize(
    ("sent", "times", "code"), [(signal.SIGINT, 4, 130), (signal.SIGTERM, 1, 143), (signal.SIGHUP, 1, 129)]
)
def test_signals_end_the_video_whole_and_the_numbers_are_true(long_clip, server, tmp_path, sent, times, code):
    out, rows = tmp_path / "out.mp4", tmp_path / "rows.jsonl"
    command = [*FACED_CLI, "video", long_clip, "-o", out, "--jsonl", rows, "--server", server, "--attributes", "none"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 60
        while not (rows.exists() and rows.read_bytes().count(b"\n") >= 10):
            assert time.monotonic() < end
            time.sleep(0.02)
        for _ in range(times):
            process.send_signal(sent)
            time.sleep(0.01)
        text, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (code, "faced-cli: interrupted\n")
    told = int(text.split(f"{long_clip}: ")[1].split(" frames")[0])
    held = {out: frames_in(out), rows: len([json.loads(line) for line in rows.read_text().splitlines()])}
    assert 10 <= told < 300
    for path, count in held.items():
        said = f"{path}" if count == told else f"{path} (the first {count})"
        assert said in text
        assert told - count <= 1


def test_reader_of_rows_that_leaves_early(long_clip, server):
    command = [*FACED_CLI, "video", long_clip, "--jsonl", "-", "--server", server, "--attributes", "none"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert json.loads(process.stdout.readline())["frame"] == 0
        process.stdout.close()
        err = process.stderr.read().decode()
    assert process.returncode == 141
    assert "Traceback" not in err
    assert "terminate" not in err


def test_reader_of_text_that_leaves_early(portrait, server):
    with subprocess.Popen(
        [*FACED_CLI, "image", portrait, "--server", server], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@needs_full
@pytest.mark.parametrize("form", ["json", "text", "rows", "status", "help"])
def test_full_standard_output_is_one_line_and_bad_output(portrait, clip, server, form):
    command = {
        "json": ["image", portrait, "--json"],
        "text": ["image", portrait],
        "rows": ["video", clip, "--jsonl", "-", "--attributes", "none"],
        "status": ["status"],
        "help": ["image", "--help"],
    }[form]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*FACED_CLI, "--server", server, *command], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert ended.returncode == 3
    errors = [line for line in ended.stderr.splitlines() if " frames/s -> " not in line]
    assert errors == ["faced-cli: standard output: no space left on the device"]


def test_another_name_of_standard_output_is_standard_output(clip, server, tmp_path):
    rows = tmp_path / "rows"
    command = [*FACED_CLI, "video", clip, "--jsonl", "/dev/stdout", "--server", server, "--attributes", "none"]
    with rows.open("w") as output:
        ended = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, timeout=60)
    assert ended.returncode == 0
    assert [json.loads(line)["frame"] for line in rows.read_text().splitlines()] == list(range(24))
    assert "24 frames" in ended.stderr


def test_refused_runs_leave_the_rows_as_they_were(cli, clip, server, tmp_path):
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    old.write_text("precious")
    for options in (("--server", "127.0.0.1:1"), ("--server", server, "--attributes", "mood")):
        for rows in (old, new):
            assert cli("video", clip, "--jsonl", rows, "--force", *options)[0] in (2, 4)
    assert old.read_text() == "precious"
    assert not new.exists()


def test_names_that_the_terminal_cannot_show(portrait, server, tmp_path):
    picture = portrait.read_bytes()
    for name in (b"\xc3\xa4\x1b[31m.png", b"\xff.png"):
        path = tmp_path / os.fsdecode(name)
        path.write_bytes(picture)
        command = [*FACED_CLI, "image", path, "--server", server, "--attributes", "none"]
        environment = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
        text = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=True).stdout
        assert b"\x1b" not in text
        assert b"256x256 px" in text
        json_text = subprocess.run([*command, "--json"], capture_output=True, timeout=60, check=True).stdout
        shown = json.loads(json_text)["source"].encode().decode()
        assert shown.endswith("\x1b[31m.png" if name.endswith(b"m.png") else "/\ufffd.png")


def test_video_that_ends_half_way_is_bad_input_and_all_is_kept(cli, long_clip, server, tmp_path):
    cut, out, rows = tmp_path / "cut.mp4", tmp_path / "out.mp4", tmp_path / "rows.jsonl"
    content = long_clip.read_bytes()
    cut.write_bytes(content[: len(content) // 4])
    code, text, err = cli("video", cut, "-o", out, "--jsonl", rows, "--server", server, "--attributes", "none")
    count = len(rows.read_text().splitlines())
    assert code == 3
    assert f"faced-cli: {cut}: unreadable from frame {count} on, at {count / 25:.3f} s of 12.000 s\n" in err
    assert text.startswith(f"{cut}: {count} frames, ")
    assert 0 < count < 100
    assert frames_in(out) == count
