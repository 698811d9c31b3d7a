"""A folder of pictures as the frames of a video, in the order of their names."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from faced_cli.errors import InputError
from faced_cli.frames import SourceFrame, VideoForm
from faced_cli.image_file import picture_files, read_bytes
from faced_proto.types import RgbImage

_RATE = 25


class ImageFolder:
    """The pictures in and below a folder, 25 a second; a context manager.

    `form` and `frames` are like a `VideoSource`'s; `damaged` counts pictures that could not be read.

    Raises:
        InputError: the folder holds no pictures.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        self.form = VideoForm(time_base=Fraction(1, _RATE), rate=Fraction(_RATE))
        self._files = picture_files(path)
        self.frame_estimate = len(self._files)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held open."""

    def frames(self) -> Iterator[SourceFrame]:
        """Each picture that can be read, upright and in its own size.

        Raises:
            InputError: there is none.
        """
        index = 0
        for path in self._files:
            image = self._read(path)
            if image is None:
                self.damaged += 1
                continue
            yield SourceFrame(index, index / _RATE, index, 1, image)
            index += 1
        if index == 0:
            raise InputError(f"{self.path}: none of its pictures can be read")

    def _read(self, path: Path) -> RgbImage | None:
        try:
            pixels = cv2.imdecode(np.frombuffer(read_bytes(path), np.uint8), cv2.IMREAD_COLOR)
        except (InputError, cv2.error):
            return None
        return None if pixels is None else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
