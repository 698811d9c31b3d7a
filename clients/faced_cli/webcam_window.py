"""A window for live pictures, and what is typed there; the only user of OpenCV's windows."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from types import TracebackType
from typing import Self

import cv2

from faced_cli.errors import UsageError
from faced_proto.types import RgbImage

_PROBE_S = 20.0
_SMALLEST, _LARGEST = 640, 1280
"""Widths in which a window opens."""
_ESCAPE = 27


class DisplayProbe:
    """Finds out in a process of its own whether a window can be opened: where none can, Qt ends the process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        if not sys.platform.startswith("linux"):
            return
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise _no_display("neither DISPLAY nor WAYLAND_DISPLAY is set")
        self._process = subprocess.Popen(
            [sys.executable, "-c", "import cv2; cv2.namedWindow('faced'); cv2.destroyAllWindows()"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )

    def check(self) -> None:
        """Waits for the answer.

        Raises:
            UsageError: no window can be opened.
        """
        if self._process is None:
            return
        try:
            _, told = self._process.communicate(timeout=_PROBE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise _no_display("the display does not answer") from None
        if self._process.returncode != 0:
            lines = [line.strip() for line in told.splitlines() if line.strip()]
            display = next((line for line in lines if "could not connect" in line), lines[-1] if lines else "")
            raise _no_display(display.removeprefix("qt.qpa.xcb: ") or "opening one ends the process")

    def close(self) -> None:
        """Ends the process, if its answer was not waited for."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


class Window:
    """A context manager; all its methods belong to the thread that entered."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._sized = False
        self._pressed: deque[int] = deque()

    def __enter__(self) -> Self:
        cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cv2.destroyAllWindows()
        cv2.pollKey()  # windows go with the next events

    @property
    def closed(self) -> bool:
        """Whether its user has closed it."""
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:  # Qt's way to say that there is no such window any more
            return True

    def show(self, image: RgbImage, *, first: bool = False) -> None:
        """Puts the picture (uint8 [h, w, 3] RGB) into the window, which takes the proportions of the `first` one."""
        if first or not self._sized:
            height, width = image.shape[:2]
            shown = min(max(width, _SMALLEST), _LARGEST)
            cv2.resizeWindow(self._title, shown, round(height * shown / width))
            self._sized = True
        cv2.imshow(self._title, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        self._poll()

    def _poll(self) -> None:
        # Draws too; keys that are pressed meanwhile are kept.
        code = cv2.pollKey()
        if code >= 0:
            self._pressed.append(code & 0xFF)

    def key(self) -> str:
        """The next key that was pressed, in lower case; "" = none."""
        self._poll()
        if not self._pressed:
            return ""
        code = self._pressed.popleft()
        return "q" if code == _ESCAPE else chr(code).lower()


def _no_display(why: str) -> UsageError:
    return UsageError(
        f"no window can be opened ({why}): give --no-display for JSON lines, with --record OUT.mp4 for a video"
    )
