"""What was observed so far, on disk: an evaluation that was cut short goes on where it stopped."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class Status(IntEnum):
    """First value of a row."""

    FOUND = 1
    MISSED = 0
    BROKEN = -1


class RowsFile:
    """float32 rows of `width` values, appended in chunks; only whole rows count."""

    def __init__(self, path: Path, width: int) -> None:
        self._path = path
        self._width = width
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def __len__(self) -> int:
        return self._path.stat().st_size // (4 * self._width)

    def append(self, rows: NDArray[np.float32]) -> None:
        """[n, width]; what a crash left of an unfinished row is cut off first."""
        whole = len(self) * 4 * self._width
        with self._path.open("r+b") as file:
            file.truncate(whole)
            file.seek(whole)
            file.write(np.ascontiguousarray(rows, np.float32).tobytes())

    def read(self) -> NDArray[np.float32]:
        """All rows [n, width], mapped, not loaded."""
        if not len(self):
            return np.empty((0, self._width), np.float32)
        return np.memmap(self._path, np.float32, "r", shape=(len(self), self._width))

    def remove(self) -> None:
        """The evaluation is done."""
        self._path.unlink(missing_ok=True)
