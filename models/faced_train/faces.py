"""Labelled faces, whatever the format that they were handed out in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Protocol

from faced_proto.types import RgbImage
from faced_train.errors import DataError

OWN_FOLDER = "folder per class"
"""The format of data that is nobody's data set."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of one face; None where its data set does not say.

    `key` stays the same in whatever order or part of the data set the face comes; `where` names it for people. `part`
    is the data set's own split (FER2013's Usage). `votes` are FER+'s ten columns. `age` is in years, `age_group` the
    index of Adience's group; `gender` is "female" or "male".
    """

    key: str
    where: str
    part: str = ""
    emotion: str | None = None
    votes: tuple[int, ...] | None = None
    age: int | None = None
    age_group: int | None = None
    gender: str | None = None
    race: str | None = None

    @property
    def in_fold(self) -> bool:
        """Whether `part` is one of equal folds, of which any may be held out (Adience)."""
        return self.part.startswith("fold")


@dataclass(frozen=True, slots=True)
class Broken:
    """A picture that cannot be read, and why."""

    message: str


class PictureSource(Protocol):
    """Where the pictures of a data set are read from, one at a time."""

    def pictures(self, places: Sequence[int]) -> Iterator[RgbImage | Broken]:
        """Those at `places` (rising, in the order of the data set), each a face as it was handed out."""
        ...


@dataclass(frozen=True, slots=True)
class FaceSet:
    """A data set, or a selection of one. `places` are the faces' places in their source.

    `left_out` says for people what was not taken, and why.
    """

    name: str
    format: str
    truths: tuple[Truth, ...]
    places: tuple[int, ...]
    source: PictureSource
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.truths)

    @property
    def digest(self) -> str:
        """SHA-256 of the keys and labels of all faces, whatever their order."""
        whole = hashlib.sha256()
        for line in sorted(json.dumps(astuple(replace(truth, where=""))) for truth in self.truths):
            whole.update(line.encode() + b"\n")
        return whole.hexdigest()

    @property
    def collection(self) -> str:
        """Its name where networks tell what they learnt from: the data set's, or that of one's own folder."""
        return self.name if self.format == OWN_FOLDER else self.format.removesuffix(" CSV")

    @property
    def part_names(self) -> tuple[str, ...]:
        """For each face `collection` and its part, as `trained_on` names them."""
        return tuple(f"{self.collection} {truth.part}".rstrip() for truth in self.truths)

    def pictures(self, start: int = 0) -> Iterator[RgbImage | Broken]:
        """The faces from the `start`th on."""
        return self.source.pictures(self.places[start:])

    def take(self, kept: Sequence[int], note: str | None = None) -> FaceSet:
        """The faces at these indices, rising.

        Raises:
            DataError: none is left.
        """
        notes = self.left_out if note is None else (*self.left_out, note)
        if not kept:
            raise DataError(f"{self.name}: no face is left: {'; '.join(notes) or 'the data set is empty'}")
        truths, places = tuple(self.truths[i] for i in kept), tuple(self.places[i] for i in kept)
        return replace(self, truths=truths, places=places, left_out=notes)


def last_fold(truths: Sequence[Truth]) -> str | None:
    """The part that is held out of a data set in folds, since the same people are in no two; None: there are none."""
    folds = sorted({truth.part for truth in truths if truth.in_fold})
    return folds[-1] if len(folds) > 1 else None
