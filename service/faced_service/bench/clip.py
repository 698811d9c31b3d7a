"""The frames that are measured on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from faced_proto.types import RgbImage
from faced_service.bench.picture import picture_with_faces

_STEP_PX = 2


def moving_face(frames: int) -> Iterator[RgbImage]:
    """uint8 [540, 960, 3] RGB: a face of 115 pixels that goes 2 pixels a frame to the right, and back."""
    cell = picture_with_faces(1)[:240, :320]
    height, width, _ = cell.shape
    ground = cv2.GaussianBlur(cv2.resize(cell, (960, 540), interpolation=cv2.INTER_CUBIC), (0, 0), 25)
    room = 960 - width
    for number in range(frames):
        x = _STEP_PX * number % (2 * room)
        left = min(x, 2 * room - x)
        frame = np.array(ground, np.uint8)
        frame[150 : 150 + height, left : left + width] = cell
        yield frame


def video_frames(path: Path, frames: int | None) -> Iterator[RgbImage]:
    """The first `frames` frames of a video, None = all; uint8 [height, width, 3] RGB.

    Raises:
        ValueError: the file is no video that can be read, or PyAV is not installed; says which.
    """
    try:
        import av
    except ImportError as error:
        raise ValueError("reading videos needs PyAV: install the extra 'cli'") from error
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ValueError(f"{path}: there is no video in it")
            for number, frame in enumerate(container.decode(video=0)):
                if number == frames:
                    return
                yield np.ascontiguousarray(frame.to_ndarray(format="rgb24"), np.uint8)
    except (av.error.FFmpegError, OSError) as error:
        raise ValueError(f"{path}: not a video that can be read ({error.strerror})") from error
