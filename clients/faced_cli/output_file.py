"""A file that keeps its last good state: after the first failed write it is not touched again."""

from __future__ import annotations

import io
from pathlib import Path


class OutputFile:
    """What a muxer writes to.

    The first failed write raises OSError; later ones do nothing, so that a muxer that closes in spite of it cannot
    spoil what is already playable.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._failed = False
        self._file = io.FileIO(path, "w")
        self._position = 0

    def write(self, data: bytes) -> int:
        """Writes all of `data`.

        Raises:
            OSError: it could not be written; the first time only.
        """
        view = memoryview(data)
        if not self._failed:
            try:
                written = 0
                while written < len(view):
                    written += self._file.write(view[written:]) or 0
            except OSError:
                self._failed = True
                raise
        self._position += len(view)
        return len(view)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves the place of the next write."""
        if self._failed:
            return self._position
        self._position = self._file.seek(offset, whence)
        return self._position

    def tell(self) -> int:
        """The place of the next write."""
        return self._position

    def close(self) -> None:
        """Closes the file; once is enough."""
        self._file.close()
