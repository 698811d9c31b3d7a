"""Files that play the part of a camera: a video at its own rate, or a folder of pictures."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from faced_cli.frames import VideoSource
from faced_cli.image_folder import ImageFolder
from faced_cli.pace import Pace
from faced_proto.types import RgbImage


class CameraFile:
    """A `Feed` of a video file or a folder of pictures, each frame when its time has come.

    Raises:
        InputError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.notice = ""
        self._source = ImageFolder(path) if path.is_dir() else VideoSource(path)
        self.rate: float | None = float(self._source.form.rate)

    def pictures(self, stop: threading.Event) -> Iterator[tuple[RgbImage, float | None]]:
        """See `Feed`."""
        pace = Pace()
        for frame in self._source.frames():
            pace.wait(frame.time_s, stop)
            if stop.is_set():
                return
            yield frame.image, frame.time_s

    def close(self) -> None:
        """Frees the file."""
        self._source.close()
