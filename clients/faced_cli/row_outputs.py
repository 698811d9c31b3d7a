"""Rows into all their files, the journal first, so that a run that is cut off can be resumed."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from faced_cli.errors import InputError
from faced_cli.flat_rows import Column, csv_head, csv_lines
from faced_cli.journal import Journal, JournalEntry
from faced_cli.parquet_file import ParquetFile
from faced_cli.render import outcome_object
from faced_cli.rows_file import RowsFile
from faced_cli.terminal import is_standard_output
from faced_cli.video_outputs import VideoOutputs
from faced_cli.video_row import VideoRow


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays of a run that was cut off: rows, and bytes of the journal and of the text outputs."""

    rows: int = 0
    journal_size: int = 0
    jsonl_size: int = 0
    csv_size: int = 0


class RowOutputs:
    """Writes rows; a context manager. No file is made before the first row.

    Raises:
        ModelsError: what Parquet needs is not installed.
        InputError: a CSV file that is to go on cannot be read.
    """

    def __init__(self, outputs: VideoOutputs, columns: Sequence[Column], header: object, kept: Kept | None) -> None:
        stays = kept or Kept()
        self._jsonl = self._csv = None
        if outputs.jsonl is not None:
            self._jsonl = RowsFile(outputs.jsonl, kept=stays.jsonl_size, count=stays.rows)
        if outputs.csv is not None:
            self._csv = RowsFile(outputs.csv, kept=stays.csv_size, count=stays.rows)
        self._parquet = ParquetFile(outputs.parquet, columns) if outputs.parquet is not None else None
        self._has_head = stays.csv_size > 0
        # What an older version began may have fewer columns.
        self._columns = _columns_of(outputs.csv) if outputs.csv is not None and self._has_head else columns
        self._journal_path, self._header, self._kept = outputs.journal, header, kept
        self._journal: Journal | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files():
            file.close()
        if self._journal is not None:
            self._journal.close()

    @property
    def on_standard_output(self) -> bool:
        """Whether rows go there."""
        return any(is_standard_output(file.path) for file in (self._jsonl, self._csv) if file is not None)

    def held(self) -> Iterator[tuple[str, int]]:
        """Each file's name with the number of frames whose rows it has."""
        for file in self._files():
            yield str(file.path), file.count

    def replay(self, row: VideoRow) -> None:
        """Takes in a row of the run before that the text outputs have already."""
        if self._parquet is not None:
            self._parquet.write(row)

    def write(self, source: int, row: VideoRow) -> None:
        """Adds a row of the source of this number.

        Raises:
            InputError: it cannot be written; the rows before it are kept.
            BrokenPipeError: whoever read them has gone.
        """
        self._note(source, row)
        if self._jsonl is not None:
            self._jsonl.write(outcome_object(row.source, row.frame, row.time_s, row.outcome))
        if self._csv is not None:
            head = "" if self._has_head else csv_head(self._columns)
            self._csv.write_text(head + csv_lines(self._columns, row))
            self._has_head = True
        if self._parquet is not None:
            self._parquet.write(row)

    def done(self, source: int) -> None:
        """Nothing more comes of the source."""
        self._note(source, None)

    def finish(self) -> None:
        """Everything is written: there is nothing to resume."""
        for file in self._files():
            file.close()
        journal = self._open_journal()
        if journal is not None:
            journal.remove()

    def _files(self) -> Iterator[RowsFile | ParquetFile]:
        yield from (file for file in (self._jsonl, self._csv, self._parquet) if file is not None)

    def _note(self, source: int, row: VideoRow | None) -> None:
        journal = self._open_journal()
        if journal is None:
            return
        jsonl_size, csv_size = (0 if file is None else file.size for file in (self._jsonl, self._csv))
        if row is None:
            journal.add(JournalEntry(source, 0, 0.0, 0.0, jsonl_size, csv_size, None))
        else:
            sizes = (jsonl_size, csv_size)
            journal.add(JournalEntry(source, row.frame, row.time_s, row.duration_s, *sizes, row.outcome))

    def _open_journal(self) -> Journal | None:
        if self._journal is None and self._journal_path is not None:
            if self._kept is None:
                self._journal = Journal(self._journal_path, self._header)
            else:
                self._journal = Journal.continued(self._journal_path, self._kept.journal_size)
        return self._journal


def _columns_of(path: Path) -> list[Column]:
    """The columns of a CSV file that is there, as far as writing it goes: their kinds are not in it."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [Column(name, str) for name in next(csv.reader(file), [])]
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path}: cannot be gone on with ({error})") from error
