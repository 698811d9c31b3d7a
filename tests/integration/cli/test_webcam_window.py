"""The live window as its user meets it: under Xvfb, with a video as camera and keys that are really pressed."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

FACED_CLI = (sys.executable, "-m", "faced_cli.main")
pytestmark = pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool")),
    reason="needs Xvfb and xdotool",
)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1024x768x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as process:
        os.close(writing)
        with os.fdopen(reading) as numbers:
            yield f":{numbers.readline().strip()}"
        process.terminate()


@pytest.fixture(scope="module")
def camera(head, tmp_path_factory) -> Path:
    """A minute of a face that stands still, at 25 frames/s; a spot at the left grows lighter, so frames differ."""
    path = tmp_path_factory.mktemp("camera") / "camera.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 256, 256, "yuv420p"
        for i in range(1500):
            picture = head.copy()
            picture[200:, :40] = i % 250
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


class User:
    """Looks at one window and types there."""

    def __init__(self, process: subprocess.Popen[str], environment: dict[str, str]) -> None:
        self.process = process
        self.display = environment["DISPLAY"]
        self._environment = environment

    def xdotool(self, *arguments: str) -> str:
        command = ["xdotool", *arguments]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=20).stdout.strip()

    def window(self) -> str:
        return self.wait(lambda: self.xdotool("search", "--onlyvisible", "--name", "^faced: ").splitlines()[:1])[0]

    def press(self, key: str) -> None:
        self.xdotool("windowfocus", "--sync", self.window(), "key", key)

    def wait(self, found: Callable[[], object]) -> object:
        end = time.monotonic() + 60
        while not (result := found()):
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end
            time.sleep(0.1)
        return result

    def leave(self) -> tuple[str, str]:
        self.press("q")
        return self.process.communicate(timeout=30)


class _ClientMessage(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("rest", ctypes.c_long * 24),
    )


def close_window(display: str, window: int) -> None:
    """What a window manager sends when its user closes a window."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    connection = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    protocols, delete = (x11.XInternAtom(connection, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    event = _ClientMessage(type=33, window=window, message_type=protocols, format=32)
    event.data[0] = delete
    x11.XSendEvent(connection, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(event))
    x11.XCloseDisplay(connection)


@pytest.fixture
def user(display, camera, server, tmp_path) -> Iterator[User]:
    environment = {**os.environ, "DISPLAY": display}
    command = [*FACED_CLI, "webcam", "--camera", camera, "--jsonl", "rows.jsonl", "--server", server]
    process = subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    yield User(process, environment)
    if process.poll() is None:
        process.kill()
    process.communicate()


def count(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_keys(user, tmp_path):
    rows = tmp_path / "rows.jsonl"
    user.wait(lambda: count(rows) > 3)

    user.press("r")
    (recording,) = user.wait(lambda: list(tmp_path.glob("faced-*.mp4")))
    for key in "pp":  # largest, each, none
        user.press(key)
    user.press("s")
    user.wait(lambda: len(list(tmp_path.glob("faced-*.png"))) == 1)
    for key in "bb":  # none, faces, all
        user.press(key)
    user.press("s")
    user.wait(lambda: len(list(tmp_path.glob("faced-*.png"))) == 2)
    first, second = (cv2.imread(str(path)) for path in sorted(tmp_path.glob("faced-*.png"), key=os.path.getmtime))
    assert first.shape == second.shape == (256, 256, 3)
    sharpness = [cv2.Laplacian(picture, cv2.CV_64F)[:190, :40].std() for picture in (first, second)]
    assert sharpness[0] > 2 * sharpness[1]  # everything is blurred now
    user.press("r")
    time.sleep(0.5)

    user.press("space")
    time.sleep(1.0)
    paused = count(rows)
    time.sleep(1.0)
    assert count(rows) == paused
    user.press("space")
    user.wait(lambda: count(rows) > paused + 3)

    out, err = user.leave()
    assert (user.process.returncode, err) == (0, "")
    assert f"  -> {recording.name} (" in out
    with av.open(str(recording)) as container:
        recorded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(recorded) > 5
    assert np.abs(recorded[0].astype(int) - recorded[-1]).mean() > 5


def test_closing_the_window_ends_the_run(user, tmp_path):
    user.wait(lambda: count(tmp_path / "rows.jsonl") > 3)
    close_window(user.display, int(user.window()))
    out, err = user.process.communicate(timeout=30)
    assert (user.process.returncode, err) == (0, "")
    assert "age when shown: median " in out
