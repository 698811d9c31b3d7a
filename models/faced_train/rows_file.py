"""What was observed so far, on disk: an evaluation that was cut short goes on where it stopped."""

from __future__ import annotations

import os
from enum import IntEnum
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray


class Status(IntEnum):
    """First value of a row."""

    FOUND = 1
    MISSED = 0
    BROKEN = -1


class RowsFile:
    """float32 rows of `width` values, in the order of their numbers; only whole rows count.

    Several processes may write the same rows at the same time, and one of them remove the file while others go on.
    """

    def __init__(self, path: Path, width: int) -> None:
        self._path = path
        self._width = width
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        self._file = path.open("r+b")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return os.fstat(self._file.fileno()).st_size // (4 * self._width)

    def write(self, first: int, rows: NDArray[np.float32]) -> None:
        """[n, width], of which the first has the number `first`; over what a crash left of an unfinished one."""
        self._file.seek(first * 4 * self._width)
        self._file.write(np.ascontiguousarray(rows, np.float32).tobytes())
        self._file.flush()

    def read(self) -> NDArray[np.float32]:
        """All rows [n, width]."""
        self._file.seek(0)
        content = self._file.read(len(self) * 4 * self._width)
        return np.frombuffer(content, np.float32).reshape(-1, self._width)

    def remove(self) -> None:
        """The evaluation is done."""
        self._path.unlink(missing_ok=True)
