"""FER2013's CSV, plain or gzip: emotion, pixels (48 x 48 grey), Usage."""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faced_proto.types import RgbImage
from faced_train.errors import DataError
from faced_train.faces import Broken, FaceSet, Truth

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""FER2013's classes, by their number."""

_SIDE = 48


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    emotion: str
    pixels: str
    part: str


@dataclass(frozen=True, slots=True)
class Fer2013Csv:
    """Reads the pictures again, row by row; DataError where one is wrong."""

    path: Path

    def pictures(self, places: Sequence[int]) -> Iterator[RgbImage | Broken]:
        """See `PictureSource`."""
        wanted = iter(places)
        place = next(wanted, None)
        for row, fields in enumerate(_rows(self.path)):
            if place is None:
                return
            if row == place:
                yield _picture(self.path, fields)
                place = next(wanted, None)


def read_fer2013_csv(path: Path) -> FaceSet:
    """All rows; columns by their names, in any order. Pixels are only counted: reading the pictures looks closer.

    Raises:
        DataError: names the file and the line.
    """
    truths = []
    for row in _rows(path):
        key = hashlib.sha256(row.pixels.encode()).hexdigest()
        truths.append(Truth(key, f"{path.name}: line {row.line}", row.part, emotion=row.emotion))
    if not truths:
        raise DataError(f"{path}: there are no rows after the header")
    return FaceSet(path.name, "FER2013 CSV", tuple(truths), tuple(range(len(truths))), Fer2013Csv(path))


def _rows(path: Path) -> Iterator[_Row]:
    with _text(path) as lines:
        header = [name.strip() for name in next(csv.reader(lines), [])]
        missing = [name for name in ("emotion", "pixels") if name not in header]
        if missing:
            raise DataError(f"{path}: line 1: no column {missing[0]!r}; a FER2013 CSV has emotion, pixels and Usage")
        emotion, pixels = header.index("emotion"), header.index("pixels")
        usage = header.index("Usage") if "Usage" in header else None
        for line, text in enumerate(lines, 2):
            # Ten times faster than csv's reader, which quotation marks need.
            fields = next(csv.reader([text])) if '"' in text else text.rstrip("\r\n").split(",")
            if fields in ([], [""]):
                continue
            if len(fields) != len(header):
                raise DataError(f"{path}: line {line}: {len(fields)} fields, expected {len(header)}")
            number = fields[emotion].strip()
            if number not in _NUMBERS:
                raise DataError(f"{path}: line {line}: emotion is {number!r}, expected 0 to {len(EMOTIONS) - 1}")
            if (count := fields[pixels].strip().count(" ") + 1) != _SIDE * _SIDE:
                raise DataError(f"{path}: line {line}: {count} pixels, expected {_SIDE} x {_SIDE}")
            part = "" if usage is None else fields[usage].strip()
            yield _Row(line, EMOTIONS[int(number)], fields[pixels], part)


_NUMBERS = frozenset(str(i) for i in range(len(EMOTIONS)))


def _picture(path: Path, row: _Row) -> RgbImage:
    where = f"{path}: line {row.line}"
    if row.pixels.encode().translate(None, b"0123456789 "):
        raise DataError(f"{where}: pixels are to be whole numbers with spaces between")
    values = np.fromstring(row.pixels, np.int64, sep=" ")
    # Two spaces in a row count as a pixel above.
    if len(values) != _SIDE * _SIDE:
        raise DataError(f"{where}: {len(values)} pixels, expected {_SIDE} x {_SIDE}")
    if values.max() > 255:
        raise DataError(f"{where}: a pixel is {values.max()}, expected 0 to 255")
    grey = values.astype(np.uint8).reshape(_SIDE, _SIDE, 1)
    return np.repeat(grey, 3, axis=2)


@contextmanager
def _text(path: Path) -> Iterator[Iterator[str]]:
    try:
        with path.open("rb") as probe:
            packed = probe.read(2) == b"\x1f\x8b"
        with (
            gzip.open(path, "rt", encoding="utf-8", newline="")
            if packed
            else path.open(encoding="utf-8", newline="") as file
        ):
            yield file
    except DataError:
        raise
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
