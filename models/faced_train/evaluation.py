"""Faces through an observer, in chunks that are kept on disk until all are done."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faced_proto.types import RgbImage
from faced_train.errors import DataError
from faced_train.faces import Broken, FaceSet, Truth
from faced_train.observers import Observation, Observer
from faced_train.rows_file import RowsFile, Status


@dataclass(frozen=True, slots=True)
class Observed:
    """What was found: `found` are indices of faces; `face_px` [n] and `probabilities` [n, k] have a row for each.

    `broken` says which pictures could not be read.
    """

    found: NDArray[np.intp]
    missed: int
    face_px: NDArray[np.float64]
    probabilities: Mapping[str, NDArray[np.float64]]
    broken: tuple[str, ...]

    def truths(self, faces: FaceSet) -> list[Truth]:
        """What is known of the faces that were found."""
        return [faces.truths[i] for i in self.found]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How to observe a data set: `widths` are classes by attribute, `identity` what else the answers depend on.

    `keep` is the folder for what is not yet done; `skip_bad` leaves out pictures that cannot be read.
    """

    observer: Observer
    widths: Mapping[str, int]
    identity: Mapping[str, str]
    keep: Path
    skip_bad: bool

    def observe(self, faces: FaceSet, progress: Callable[[int], None] = lambda _done: None) -> Observed:
        """All faces; goes on where an earlier run of the same evaluation was cut short.

        `progress` hears how many are done.

        Raises:
            DataError: a picture cannot be read.
            ModelError: a network failed.
        """
        broken: list[str] = []
        with RowsFile(self._file(faces), 2 + sum(self.widths.values())) as rows:
            done = len(rows)
            progress(done)
            for chunk in _read_ahead(_chunks(faces.pictures(done), self.observer.batch)):
                rows.write(done, self._rows(chunk, broken))
                done += len(chunk)
                progress(done)
            observed = self._gathered(np.array(rows.read(), np.float64), broken)
            rows.remove()
        return observed

    def forget(self, faces: FaceSet) -> None:
        """Drop what an earlier run has done."""
        self._file(faces).unlink(missing_ok=True)

    def _file(self, faces: FaceSet) -> Path:
        # Keys in their order: rows are told apart by their number alone.
        keys = hashlib.sha256("\n".join(truth.key for truth in faces.truths).encode()).hexdigest()
        identity = json.dumps([dict(self.identity), dict(self.widths), self.skip_bad, keys], sort_keys=True)
        return self.keep / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}.rows"

    def _rows(self, pictures: Sequence[RgbImage | Broken], broken: list[str]) -> NDArray[np.float32]:
        readable: list[RgbImage] = []
        for picture in pictures:
            if not isinstance(picture, Broken):
                readable.append(picture)
            elif self.skip_bad:
                broken.append(picture.message)
            else:
                raise DataError(f"{picture.message}; --skip-bad leaves it out")
        answers = iter(self.observer.observe(readable) if readable else [])
        rows = np.full((len(pictures), 2 + sum(self.widths.values())), np.nan, np.float32)
        for row, picture in zip(rows, pictures, strict=True):
            self._fill(row, Status.BROKEN if isinstance(picture, Broken) else next(answers))
        return rows

    def _fill(self, row: NDArray[np.float32], answer: Observation | Status | None) -> None:
        if answer is None or isinstance(answer, Status):
            row[0] = Status.MISSED if answer is None else answer
            return
        values = itertools.chain.from_iterable(answer.probabilities[name] for name in self.widths)
        row[:] = (Status.FOUND, answer.face_px, *values)

    def _gathered(self, rows: NDArray[np.float64], broken: Sequence[str]) -> Observed:
        found = np.flatnonzero(rows[:, 0] == Status.FOUND)
        here = rows[found]
        ends = np.cumsum([2, *self.widths.values()])
        unreadable = int((rows[:, 0] == Status.BROKEN).sum())
        earlier = unreadable - len(broken)
        messages = (*broken, *((f"{earlier} pictures that an earlier run could not read",) if earlier else ()))
        return Observed(
            found=found,
            missed=int((rows[:, 0] == Status.MISSED).sum()),
            face_px=here[:, 1],
            probabilities={
                name: here[:, start:end]
                for name, (start, end) in zip(self.widths, itertools.pairwise(ends), strict=True)
            },
            broken=messages,
        )


def _read_ahead(chunks: Iterator[list[RgbImage | Broken]]) -> Iterator[list[RgbImage | Broken]]:
    """The next chunk is read, and unpacked, while the networks are busy with this one."""
    with ThreadPoolExecutor(1, "reader") as pool:
        coming: Future[list[RgbImage | Broken]] = pool.submit(next, chunks, [])
        while chunk := coming.result():
            coming = pool.submit(next, chunks, [])
            yield chunk


def _chunks(pictures: Iterator[RgbImage | Broken], size: int) -> Iterator[list[RgbImage | Broken]]:
    while chunk := list(itertools.islice(pictures, size)):
        yield chunk
