"""Rows of JSON, each on disk as soon as it is written."""

from __future__ import annotations

import errno
import io
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from faced_cli.errors import InputError
from faced_cli.render import JsonObject, json_line


class RowsFile:
    """A file of one JSON object a line; a context manager. `path` "-" is standard output."""

    def __init__(self, path: Path) -> None:
        """Makes the file.

        Raises:
            InputError: it cannot be made.
        """
        self.path = path
        self._size = 0
        try:
            self._file = None if is_standard_output(path) else io.FileIO(path, "w")
        except OSError as error:
            raise self._unwritable(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, row: JsonObject) -> None:
        """Adds a row, whole or not at all.

        Raises:
            InputError: it cannot be written; the rows before it are kept.
        """
        line = json_line(row) + "\n"
        if self._file is None:
            sys.stdout.write(line)
            sys.stdout.flush()
            return
        data = line.encode("ascii")
        try:
            written = 0
            while written < len(data):
                written += self._file.write(data[written:]) or 0
        except OSError as error:
            with suppress(OSError):  # a device cannot be shortened; a file loses the part of a row that fitted
                self._file.truncate(self._size)
            raise self._unwritable(error) from error
        self._size += len(data)

    def _unwritable(self, error: OSError) -> InputError:
        if error.errno == errno.ENOSPC:
            return InputError(f"{self.path}: no space left on the device; the rows before are kept")
        return InputError(f"{self.path}: cannot be written ({error.strerror})")


def is_standard_output(path: Path) -> bool:
    """Whether `path` is the "-" of the command line."""
    return str(path) == "-"
