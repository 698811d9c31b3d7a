"""What a run has done so far, on disk at every moment, so that one that was cut off can be resumed.

A header, then a record a frame: length and CRC-32 of what follows, its numbers, and its outcome as a compressed
`FrameOutcome` of the API. A record that was cut off counts for nothing.
"""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from faced_cli.errors import InputError, UsageError
from faced_proto.convert import frame_outcome_from_proto, frame_outcome_to_proto
from faced_proto.types import FrameOutcome
from faced_proto.v1 import service_pb2

_MAGIC = b"faced journal 1\n"
_FRAME = struct.Struct("<II")
_NUMBERS = struct.Struct("<IQddqq?")


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One row: number of its source, frame, times; how long the text outputs were before it; its outcome.

    None as outcome: the source is done.
    """

    source: int
    frame: int
    time_s: float
    duration_s: float
    jsonl_size: int
    csv_size: int
    outcome: FrameOutcome | None


class Journal:
    """The journal at `path`, open for the entries to come.

    Raises:
        InputError: it cannot be written.
    """

    def __init__(self, path: Path, header: object) -> None:
        self.path = path
        self._file = self._opened("w")
        text = json.dumps(header).encode()
        self._write(_MAGIC + _FRAME.pack(len(text), zlib.crc32(text)) + text)

    @classmethod
    def continued(cls, path: Path, size: int) -> Journal:
        """The journal that is there, as far as its first `size` bytes."""
        journal = cls.__new__(cls)
        journal.path = path
        journal._file = journal._opened("r+")
        journal._file.truncate(size)
        journal._file.seek(size)
        return journal

    def add(self, entry: JournalEntry) -> None:
        """Writes an entry, whole before this returns.

        Raises:
            InputError: it cannot be written.
        """
        body = b""
        if entry.outcome is not None:
            message = frame_outcome_to_proto(entry.outcome, include_labels=True, include_landmarks=True)
            body = zlib.compress(message.SerializeToString(), level=1)
        numbers = (entry.source, entry.frame, entry.time_s, entry.duration_s, entry.jsonl_size, entry.csv_size)
        record = _NUMBERS.pack(*numbers, entry.outcome is not None) + body
        self._write(_FRAME.pack(len(record), zlib.crc32(record)) + record)

    def close(self) -> None:
        """Keeps the journal for a later run."""
        self._file.close()

    def remove(self) -> None:
        """There is nothing left to resume."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _opened(self, mode: str) -> io.FileIO:
        try:
            return io.FileIO(self.path, mode)
        except OSError as error:
            raise self._unwritable(error) from error

    def _write(self, data: bytes) -> None:
        try:
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) or 0 :]
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(f"{self.path}: cannot be written ({os.strerror(error.errno or 0)})")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an entry lies, and its numbers."""

    begin: int
    source: int
    is_row: bool


class JournalReader:
    """A journal that was left behind; `header` is what its run wrote there.

    Raises:
        UsageError: the file is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC or (head := _next_record(file)) is None:
                raise UsageError(f"{path}: is no journal of a run; --force begins anew")
            self.header: object = json.loads(head)
            self._begin = self._end = file.tell()
            places = []
            while (record := _next_record(file)) is not None:
                places.append(_Place(self._end, *_source_of(record)))
                self._end = file.tell()
        self.done = frozenset(place.source for place in places if not place.is_row)
        self._places = [place for place in places if place.is_row]

    @property
    def current(self) -> int | None:
        """The source in whose middle the run ended."""
        newest = self._places[-1].source if self._places else None
        return None if newest in self.done else newest

    def rows(self, source: int) -> int:
        """How many rows of the source there are."""
        return sum(place.source == source for place in self._places)

    def place(self, source: int, row: int) -> int:
        """The size of the journal without this row of the source, counted from 0, and what follows."""
        begins = [place.begin for place in self._places if place.source == source]
        return begins[row] if row < len(begins) else self._end

    def entries(self, begin: int | None = None, end: int | None = None) -> Iterator[JournalEntry]:
        """Those between two places, all without."""
        with self._path.open("rb") as file:
            file.seek(self._begin if begin is None else begin)
            while file.tell() < (self._end if end is None else end) and (record := _next_record(file)) is not None:
                yield _entry(record)


def _next_record(file: BinaryIO) -> bytes | None:
    frame = file.read(_FRAME.size)
    if len(frame) < _FRAME.size:
        return None
    length, checksum = _FRAME.unpack(frame)
    record = file.read(length)
    return record if len(record) == length and zlib.crc32(record) == checksum else None


def _source_of(record: bytes) -> tuple[int, bool]:
    numbers = _NUMBERS.unpack_from(record)
    return numbers[0], numbers[-1]


def _entry(record: bytes) -> JournalEntry:
    source, frame, time_s, duration_s, jsonl_size, csv_size, is_row = _NUMBERS.unpack_from(record)
    outcome = None
    if is_row:
        message = service_pb2.FrameOutcome.FromString(zlib.decompress(record[_NUMBERS.size :]))
        outcome = frame_outcome_from_proto(message, {})
    return JournalEntry(source, frame, time_s, duration_s, jsonl_size, csv_size, outcome)
