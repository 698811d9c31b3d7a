"""Rows of JSON, each on disk as soon as it is written."""

from __future__ import annotations

import errno
import io
from contextlib import nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from faced_cli.end_signals import end_signals_held
from faced_cli.errors import InputError
from faced_cli.render import JsonObject, json_line
from faced_cli.terminal import is_standard_output, print_text


class RowsFile:
    """A file of one JSON object a line; a context manager. `path` "-" is standard output.

    The file is made, and what it held is lost, with the first row.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        """Rows that are written."""
        self._size = 0
        self._on_output = is_standard_output(path)
        self._file: io.FileIO | None = None

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
            BrokenPipeError: whoever read them has gone.
        """
        line = json_line(row) + "\n"
        if self._on_output:
            print_text(line)
            self.count += 1
            return
        try:
            if self._file is None:
                self._file = io.FileIO(self.path, "w")
        except OSError as error:
            raise self._unwritable(error) from error
        # A pipe's reader may let us wait for ever.
        with end_signals_held() if self._file.seekable() else nullcontext():
            self._append(self._file, line.encode("ascii"))

    def _append(self, file: io.FileIO, data: bytes) -> None:
        try:
            written = 0
            while written < len(data):
                written += file.write(data[written:]) or 0
        except BrokenPipeError:
            raise
        except OSError as error:
            with suppress(OSError):  # a device cannot be shortened; a file loses the part of a row that fitted
                file.truncate(self._size)
            raise self._unwritable(error) from error
        self._size += len(data)
        self.count += 1

    def _unwritable(self, error: OSError) -> InputError:
        if error.errno == errno.ENOSPC:
            return InputError(f"{self.path}: no space left on the device; the rows before are kept")
        return InputError(f"{self.path}: cannot be written ({error.strerror})")
