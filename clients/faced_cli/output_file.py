"""A file that keeps its last good state: only whole boxes of MP4 are written, and nothing after the first failure."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from pathlib import Path

_HEADER = 8


class OutputFile:
    """What a muxer writes to.

    A fragment (`moof` and its `mdat`) is written at once when it is whole, the first one together with all before it,
    and only then is the file made: so a process that is killed leaves a file that can be played, or none. The first
    failed write raises OSError and is taken back; later ones do nothing, so that a muxer that closes in spite of it
    cannot spoil what is already playable.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._failed = False
        self._file: io.FileIO | None = None
        self._position = 0
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        """Takes all of `data`.

        Raises:
            OSError: it could not be written; the first time only.
        """
        self._waiting += data
        self._position += len(data)
        self._write(_whole_boxes(self._waiting, begun=self._file is not None))
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves the place of the next write."""
        self._write(len(self._waiting))
        if self._file is not None and not self._failed:
            self._position = self._file.seek(offset, whence)
        return self._position

    def tell(self) -> int:
        """The place of the next write."""
        return self._position

    def close(self) -> None:
        """Closes the file; once is enough.

        Raises:
            OSError: its end could not be written, and no write had failed before.
        """
        try:
            self._write(len(self._waiting))
        finally:
            if self._file is not None:
                self._file.close()

    def _write(self, size: int) -> None:
        data = memoryview(bytes(self._waiting[:size]))
        del self._waiting[:size]
        if self._failed or not data:
            return
        begin = None
        try:
            self._file = self._file or io.FileIO(self._path, "w")
            begin = self._file.tell() if self._file.seekable() else None
            while data:
                data = data[self._file.write(data) or 0 :]
        except OSError:
            self._failed = True
            self._waiting.clear()
            if self._file is not None and begin is not None:
                with suppress(OSError):  # a device has no length
                    self._file.truncate(begin)
            raise


def clear(path: Path) -> None:
    """Removes the file that a run before left at `path`; behind a link it is emptied. Devices and pipes hold nothing.

    Raises:
        OSError: it may not be written.
    """
    if not path.is_file():
        return
    os.truncate(path, 0)
    if not path.is_symlink():  # what it leads to may be open already, as behind /dev/stdout
        with suppress(OSError):  # its folder is closed
            path.unlink()


def _whole_boxes(data: bytearray, *, begun: bool) -> int:
    """How many bytes at the beginning are whole boxes of an MP4 file, a `moof` only with what follows it.

    Nothing, as long as no fragment has `begun` the file.
    """
    end = at = 0
    while len(data) - at >= _HEADER:
        length = int.from_bytes(data[at : at + 4], "big")
        if length < _HEADER:  # no box, or one whose length stands elsewhere
            return len(data)
        if len(data) - at < length:
            break
        kind = data[at + 4 : at + 8]
        at += length
        if kind == b"moof":
            begun = True
        elif begun:
            end = at
    return end
