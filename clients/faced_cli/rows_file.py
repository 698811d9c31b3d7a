"""Rows of text, each on disk as soon as it is written."""

from __future__ import annotations

import errno
import io
from contextlib import nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from faced_cli.end_signals import end_signals_held
from faced_cli.errors import InputError
from faced_cli.render import json_line
from faced_cli.terminal import is_standard_output, print_text
from faced_proto.json_values import JsonObject


class RowsFile:
    """A file of lines, JSON or others; a context manager. `path` "-" is standard output.

    The file is made, and what it held is lost, with the first row. Where the rows of a run that was cut off go on,
    `kept` is how many bytes of the file stay, and `count` how many rows these are.
    """

    def __init__(self, path: Path, *, kept: int = 0, count: int = 0) -> None:
        self.path = path
        self.count = count
        """Rows that are written."""
        self.size = kept
        """Bytes that they have."""
        self._on_output = is_standard_output(path)
        self._file: io.FileIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; once is enough."""
        if self._file is not None:
            self._file.close()

    def write(self, row: JsonObject) -> None:
        """Adds a JSON object; see `write_text`."""
        self.write_text(json_line(row) + "\n")

    def write_text(self, line: str) -> None:
        """Adds a row of one or more lines, whole or not at all.

        Raises:
            InputError: it cannot be written; the rows before it are kept.
            BrokenPipeError: whoever read them has gone.
        """
        if self._on_output:
            print_text(line)
            self.count += 1
            return
        try:
            if self._file is None:
                self._file = io.FileIO(self.path, "r+" if self.size else "w")
                if self.size:
                    self._file.truncate(self.size)
                    self._file.seek(self.size)
        except OSError as error:
            raise self._unwritable(error) from error
        # A pipe's reader may let us wait for ever.
        with end_signals_held() if self._file.seekable() else nullcontext():
            self._append(self._file, line.encode())

    def _append(self, file: io.FileIO, data: bytes) -> None:
        try:
            written = 0
            while written < len(data):
                written += file.write(data[written:]) or 0
        except BrokenPipeError:
            raise
        except OSError as error:
            with suppress(OSError):  # a device cannot be shortened; a file loses the part of a row that fitted
                file.truncate(self.size)
            raise self._unwritable(error) from error
        self.size += len(data)
        self.count += 1

    def _unwritable(self, error: OSError) -> InputError:
        if error.errno == errno.ENOSPC:
            return InputError(f"{self.path}: no space left on the device; the rows before are kept")
        return InputError(f"{self.path}: cannot be written ({error.strerror})")
