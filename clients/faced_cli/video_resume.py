"""What a run that was cut off leaves to the one that goes on: which rows stay, and what tracks go on from."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from faced_cli.errors import UsageError
from faced_cli.journal import JournalEntry, JournalReader
from faced_cli.row_outputs import Kept
from faced_cli.terminal import is_standard_output
from faced_cli.video_outputs import VideoOutputs
from faced_client.history import History
from faced_proto.types import StreamConfig

_HALF_LIVES, _LEAST_SPAN_S = 30, 30.0
"""Rows that are this much older matter no more to tracks and smoothing; the server needs less."""


@dataclass(frozen=True, slots=True)
class CutOff:
    """A run that was cut off. Sources below `source` are done; of this one, `rows` rows stay."""

    reader: JournalReader
    source: int
    rows: int
    kept: Kept

    def entries(self) -> Iterator[JournalEntry]:
        """All rows that stay, of all sources."""
        for entry in self.reader.entries(end=self.kept.journal_size):
            if entry.outcome is not None:
                yield entry

    def drawn_again(self, first: int) -> Iterator[JournalEntry]:
        """The rows of the current source from this one on, as the journal had them."""
        return islice(self.reader.entries(self.reader.place(self.source, first)), self.rows - first)


def find_cut_off(outputs: VideoOutputs, header: Mapping[str, str], scan_interval: int | None) -> CutOff | None:
    """The run that left a journal here; None if there is none.

    Raises:
        UsageError: it ran with other options or on other files, or its outputs were changed.
    """
    if outputs.journal is None or not outputs.journal.exists():
        return None
    reader = JournalReader(outputs.journal)
    before = reader.header if isinstance(reader.header, dict) else {}
    other = [name for name in header if before.get(name) != header[name]]
    if other:
        raise UsageError(f"--resume: the run that was cut off had other {', '.join(other)}; --force begins anew")
    source = next(number for number in range(len(reader.done) + 1) if number not in reader.done)
    there = reader.rows(source)
    # The newest row is made again, since its files may lack it. Where frames are searched only in parts, the stream
    # begins anew with a full search, and that must be one of the run's own.
    rows = max(0, there - 1)
    rows -= rows % (scan_interval or 1)
    size = reader.place(source, rows)
    kept = Kept(sum(reader.rows(number) for number in range(source)) + rows, size, *_sizes(reader, size))
    for path, length in ((outputs.jsonl, kept.jsonl_size), (outputs.csv, kept.csv_size)):
        if path is not None and not is_standard_output(path) and _size(path) < length:
            raise UsageError(f"--resume: {path} is shorter than the run that was cut off left it; --force begins anew")
    return CutOff(reader, source, rows, kept)


def history_of(half_life: float | None, max_message_bytes: int) -> History:
    """An empty history of a run with this half-life."""
    history = History(StreamConfig(track=half_life is not None), max_message_bytes)
    history.keep(max(_LEAST_SPAN_S, _HALF_LIVES * (half_life or 0.0)))
    return history


def _sizes(reader: JournalReader, place: int) -> tuple[int, int]:
    """How long the text outputs were before the entry at `place`; after the last one, as that one left them."""
    entry = next(reader.entries(place), None)
    if entry is None:
        entry = next(iter(deque(reader.entries(), maxlen=1)), None)
    return (0, 0) if entry is None else (entry.jsonl_size, entry.csv_size)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
