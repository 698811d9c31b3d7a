"""Cameras of this computer, by number or device path; imutils' threaded stream reads them."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
from imutils.video import WebcamVideoStream

from faced_cli.errors import InputError
from faced_cli.live_source import LiveFrame, Stamper
from faced_cli.newest import Newest

_BRIEFLY = 3
"""Reads that fail in a row until a camera counts as gone; drivers lose a frame now and then."""
_LEAVE_S = 2.0


class CameraDevice:
    """A `LiveSource`; `device` is a number or a path that OpenCV can open.

    Raises:
        InputError: there is no such camera, or it gives no picture.
    """

    def __init__(self, device: int | str) -> None:
        self.name = f"camera {device}" if isinstance(device, int) else device
        self.notice = ""
        self.newest: Newest[LiveFrame] = Newest()
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what fails is said here, in one line
        self._stream = WebcamVideoStream(device)
        # In place of the capture that imutils' thread reads in a loop: that loop neither tells when a frame came,
        # nor ends when the camera is gone, nor lets go of it.
        self._capture = _Capture(self._stream.stream, self.newest, self.name)
        self._stream.stream = self._capture
        if not self._stream.grabbed:
            self._capture.release()
            raise InputError(_why_not(device, self.name))
        self.rate = self._capture.rate

    def start(self) -> None:
        """Begins to capture."""
        self._stream.start()

    def close(self) -> None:
        """Ends imutils' thread and lets go of the camera."""
        self._stream.stop()
        self._capture.release()


class _Capture:
    """Reads like the capture that it holds, and gives each frame on; after the end it reads nothing any more."""

    def __init__(self, capture: cv2.VideoCapture, newest: Newest[LiveFrame], name: str) -> None:
        self._capture = capture
        self._newest = newest
        self._name = name
        self._stamper = Stamper()
        self._failed = 0
        self._released = threading.Event()
        self._reading = threading.Lock()

    @property
    def rate(self) -> float | None:
        """Frames a second, as the driver says; None = it does not."""
        rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        return rate if 0 < rate <= 1000 else None

    def read(self) -> tuple[bool, None]:
        """Waits for a frame and puts it up, red first; nothing is left for who asks."""
        with self._reading:
            if self._released.is_set():
                return False, None
            grabbed, image = self._capture.read()
        if grabbed:
            self._failed = 0
            rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
            self._newest.put(self._stamper.frame(rgb))
        else:
            self._failed += 1
            if self._failed >= _BRIEFLY:
                self._newest.end(InputError(f"{self._name}: gives no more pictures; is it still plugged in?"))
                self._released.wait()  # imutils would ask again and again
        return grabbed, None

    def release(self) -> None:
        """Frees the camera, once the read that may be under way has ended."""
        self._released.set()
        self._newest.end()
        if self._reading.acquire(timeout=_LEAVE_S):  # a driver may hang; then the end of the process frees it
            self._capture.release()
            self._reading.release()


def _why_not(device: int | str, name: str) -> str:
    if isinstance(device, int) and not sys.platform.startswith("linux"):
        return f"{name}: gives no picture; is it connected, free, and is this program allowed to use it?"
    path = Path(f"/dev/video{device}") if isinstance(device, int) else Path(device)
    others = sorted(str(other) for other in Path("/dev").glob("video[0-9]*"))
    there = f"; there are {', '.join(others)}" if others else "; no camera is connected"
    if not path.exists():
        return f"{name}: there is no {path}{there}"
    try:
        path.open("rb").close()
    except PermissionError:
        return f"{name}: {path} may not be read; on most systems the group video may"
    except OSError as error:
        return f"{name}: {path} cannot be opened ({error.strerror})"
    return f"{name}: gives no picture; another program may be using it"
