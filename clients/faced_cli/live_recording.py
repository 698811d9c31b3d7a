"""A live picture recorded as it is shown; where encoding is too slow the recording loses frames, not the show."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from faced_cli.frames import SourceFrame, VideoForm
from faced_cli.live_source import LiveFrame
from faced_cli.video_file import VideoFile
from faced_cli.video_threads import Encoding
from faced_proto.types import RgbImage

_TIME_BASE = Fraction(1, 90_000)


class LiveRecording:
    """An MP4 file that grows from the first frame on, each shown as long as it was; to be ended.

    `rate` is the source's in frames a second (None = not known), `skipped` how many frames the encoder had no room for.
    """

    def __init__(self, path: Path, rate: float | None) -> None:
        self.path = path
        self.skipped = 0
        self.seconds = 0.0
        self._step = 1 / (rate or 30.0)
        form = VideoForm(_TIME_BASE, Fraction(rate or 30.0).limit_denominator(1001))
        self._video = VideoFile(path, form)
        self._stack = ExitStack()
        self._encoding = self._stack.enter_context(Encoding(self._video))
        self._held: tuple[LiveFrame, RgbImage] | None = None
        self._first: LiveFrame | None = None
        self._size: tuple[int, int] | None = None

    @property
    def frames(self) -> int:
        """Frames in the file, once it was ended."""
        return self._video.frames

    def add(self, frame: LiveFrame, image: RgbImage) -> bool:
        """Adds `image` (uint8 [h, w, 3] RGB) at the time of `frame`; false = the file cannot be written, see `end`."""
        if self._encoding.failed:
            return False
        self._first = self._first or frame
        self._size = self._size or (image.shape[1], image.shape[0])
        self.seconds = frame.captured - self._first.captured
        if self._held is not None:  # how long a frame is shown is known when the next one comes
            self._write(*self._held, frame.captured - self._held[0].captured)
        self._held = (frame, fitted(image, *self._size))
        return True

    def end(self) -> None:
        """Ends the file with all that was added; once is enough.

        Raises:
            InputError: it could not be written; what was written before is playable.
        """
        if self._held is not None:
            self._write(*self._held, self._step)
            self._held = None
        self._stack.close()

    def _write(self, frame: LiveFrame, image: RgbImage, seconds: float) -> None:
        assert self._first is not None
        pts = round((frame.captured - self._first.captured) / _TIME_BASE)
        timed = SourceFrame(frame.index, frame.time_s, pts, max(1, round(seconds / _TIME_BASE)), frame.image)
        if not self._encoding.offer(timed, image) and not self._encoding.failed:
            self.skipped += 1


def fitted(image: RgbImage, width: int, height: int) -> RgbImage:
    """The picture itself, or, where it has another size, scaled into `width` x `height` px with black bars."""
    if image.shape[:2] == (height, width):
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    size = max(1, round(scale * image.shape[1])), max(1, round(scale * image.shape[0]))
    canvas: RgbImage = np.zeros((height, width, 3), np.uint8)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    canvas[top : top + size[1], left : left + size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return canvas
