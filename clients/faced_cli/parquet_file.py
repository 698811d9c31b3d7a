"""Rows as a Parquet file; the only owner of pyarrow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from faced_cli.errors import InputError, ModelsError
from faced_cli.flat_rows import Column, Record, records
from faced_cli.video_row import VideoRow

_GROUP = 1000
"""Records that are written at a time."""


class ParquetFile:
    """Grows under another name and takes its own when it is closed: a Parquet file without its end cannot be read.

    No file is made before the first rows.

    Raises:
        ModelsError: pyarrow is not installed.
    """

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise ModelsError("--parquet needs pyarrow: pip install 'faced-service[parquet]'") from error
        self.path = path
        self._part = path.with_name(path.name + ".part")
        self._arrow = pyarrow
        kinds = {int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}
        self._schema = pyarrow.schema([(column.name, kinds[column.kind]) for column in columns])
        self.count = 0
        """Rows that were taken."""
        self._waiting: list[Record] = []
        self._writer: pyarrow.parquet.ParquetWriter | None = None

    def write(self, row: VideoRow) -> None:
        """Adds a frame's records.

        Raises:
            InputError: they cannot be written.
        """
        self._waiting += records(row)
        self.count += 1
        if len(self._waiting) >= _GROUP:
            self._flush()

    def close(self) -> None:
        """Ends the file with the rows that it has; once is enough.

        Raises:
            InputError: it cannot be written.
        """
        self._flush()
        if self._writer is None:
            return
        try:
            self._writer.close()
            self._part.replace(self.path)
        except OSError as error:
            raise self._unwritable(error) from error
        self._writer = None

    def _flush(self) -> None:
        if not self._waiting:
            return
        try:
            if self._writer is None:
                self._writer = self._arrow.parquet.ParquetWriter(str(self._part), self._schema)
            self._writer.write_table(self._arrow.Table.from_pylist(self._waiting, schema=self._schema))
        except OSError as error:
            raise self._unwritable(error) from error
        self._waiting = []

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(f"{self.path}: cannot be written ({error.strerror or error})")
