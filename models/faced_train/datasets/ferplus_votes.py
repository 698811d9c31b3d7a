"""FER+'s votes of ten people beside FER2013's rows (Barsoum et al., ICMI 2016)."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faced_train.errors import DataError
from faced_train.faces import FaceSet, Truth

COLUMNS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
"""FER+'s columns, in the order in which they are handed out."""

EMOTION_OF = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "sad": "sadness",
    "surprise": "surprise",
    "neutral": "neutral",
    "contempt": "contempt",
}
"""The column of each of FER2013's classes, and of contempt, which FER2013 has not; unknown and NF are no classes."""

_LEAST_AGREEMENT = 0.35
_ENOUGH_TO_JUDGE = 100


def columns_of(labels: Sequence[str]) -> list[int]:
    """The place in `COLUMNS` of each label's votes.

    Raises:
        DataError: nobody could vote for one of them; names it.
    """
    unknown = [label for label in labels if label not in EMOTION_OF]
    if unknown:
        raise DataError(f"FER+ has no column of votes for {unknown[0]!r}; it has them for {', '.join(EMOTION_OF)}")
    return [COLUMNS.index(EMOTION_OF[label]) for label in labels]


def vote_shares(votes: Sequence[int], labels: Sequence[str]) -> NDArray[np.float64] | None:
    """The votes for `labels`, [k], summing to 1; None where most (ties go to the lowest column) saw something else.

    Raises:
        DataError: as `columns_of`.
    """
    columns = columns_of(labels)
    among = np.array([votes[column] for column in columns], np.float64)
    if max(range(len(votes)), key=votes.__getitem__) not in columns or not among.sum():
        return None
    shares: NDArray[np.float64] = among / among.sum()
    return shares


@dataclass(frozen=True, slots=True)
class _Vote:
    line: int
    part: str
    row: int | None
    counts: tuple[int, ...]


def with_votes(faces: FaceSet, path: Path) -> FaceSet:
    """The faces with their votes; those without any keep None.

    `row` of the file counts the data set's rows from 0 (FER+'s own file has "Image name" in its place); a file whose
    rows count otherwise is matched in order where it has as many rows as the data set, by Usage.

    Raises:
        DataError: the file cannot be read or does not belong to these rows; names the line.
    """
    votes = _read(path)
    counts = _matched(faces.truths, votes, path)
    _check_agreement(faces.truths, counts, path)
    truths = tuple(
        replace(truth, votes=vote if sum(vote) else None) if (vote := counts.get(i)) is not None else truth
        for i, truth in enumerate(faces.truths)
    )
    if not any(truth.votes for truth in truths):
        raise DataError(f"{path}: no row of {faces.name} has votes")
    return replace(faces, truths=truths)


def _matched(truths: Sequence[Truth], votes: Sequence[_Vote], path: Path) -> dict[int, tuple[int, ...]]:
    """Votes by the index of their row."""
    rows = [vote.row for vote in votes]
    misfit = next((vote for vote in votes if not _fits(vote, truths)), None)
    if misfit is None:
        twice = [row for row, count in Counter(rows).items() if count > 1]
        if twice:
            raise DataError(f"{path}: row {twice[0]} has votes twice")
        return {vote.row: vote.counts for vote in votes if vote.row is not None}
    by_part: Mapping[str, list[_Vote]] = defaultdict(list)
    for vote in votes:
        by_part[vote.part].append(vote)
    places: Mapping[str, list[int]] = defaultdict(list)
    for i, truth in enumerate(truths):
        places[truth.part].append(i)
    for part, there in places.items():
        if len(by_part[part]) != len(there):
            what = "has no row number" if misfit.row is None else f"is for row {misfit.row}"
            raise DataError(
                f"{path}: line {misfit.line} {what}, which is no {misfit.part or 'unnamed'} row of the data set; "
                f"and it has {len(by_part[part])} rows of {part or 'no'} Usage where the data set has {len(there)}"
            )
    return {i: vote.counts for part, there in places.items() for i, vote in zip(there, by_part[part], strict=True)}


def _fits(vote: _Vote, truths: Sequence[Truth]) -> bool:
    return vote.row is not None and vote.row < len(truths) and vote.part == truths[vote.row].part


def _check_agreement(truths: Sequence[Truth], counts: Mapping[int, tuple[int, ...]], path: Path) -> None:
    """Votes that belong to other rows agree with these rows' labels by chance only."""
    agree = [
        COLUMNS[max(range(len(vote)), key=vote.__getitem__)] == EMOTION_OF.get(truths[i].emotion or "")
        for i, vote in counts.items()
        if sum(vote)
    ]
    if len(agree) >= _ENOUGH_TO_JUDGE and sum(agree) < _LEAST_AGREEMENT * len(agree):
        share = 100 * sum(agree) / len(agree)
        raise DataError(
            f"{path}: the votes agree with {share:.0f} % of the labels, where FER+'s agree with about 65 %: "
            "rows are missing or in another order"
        )


def _read(path: Path) -> list[_Vote]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, restkey="too many", restval=None)
            names = reader.fieldnames or []
            missing = [name for name in COLUMNS if name not in names]
            if missing:
                raise DataError(f"{path}: line 1: no column {missing[0]!r}; FER+ has {', '.join(COLUMNS)}")
            return [_vote(fields, path, reader.line_num) for fields in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error


def _vote(fields: Mapping[str, str | None], path: Path, line: int) -> _Vote:
    if None in fields.values() or "too many" in fields:
        raise DataError(f"{path}: line {line}: the number of fields is not that of the header")
    counts = tuple(_count(fields[name] or "", f"{path}: line {line}: {name}") for name in COLUMNS)
    return _Vote(line, (fields.get("Usage") or "").strip(), _row(fields, path, line), counts)


def _row(fields: Mapping[str, str | None], path: Path, line: int) -> int | None:
    if "row" in fields:
        return _count(fields["row"] or "", f"{path}: line {line}: row")
    # fer0032219.png is row 32219; rows whose picture FER+ left out have no name.
    number = re.fullmatch(r"fer(\d+)\.png", (fields.get("Image name") or "").strip())
    return line - 2 if number is None else int(number[1])


def _count(text: str, where: str) -> int:
    if not text.strip().isdigit():
        raise DataError(f"{where} is {text!r}, no whole number")
    return int(text)
