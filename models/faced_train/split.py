"""Parts of a data set that are told apart by the faces themselves: to fit on, to check on, to hold out; pure."""

from __future__ import annotations

import hashlib
from enum import Enum

from faced_train.faces import FaceSet


class Split(Enum):
    """`FIT` is two thirds of the faces, `CHECK` the rest."""

    ALL = "all"
    FIT = "fit"
    CHECK = "check"


def part_of(faces: FaceSet, split: Split) -> FaceSet:
    """The faces of a split. Equal faces fall into the same one, whatever else the data set holds.

    Raises:
        DataError: none is left.
    """
    if split is Split.ALL:
        return faces
    kept = [i for i, truth in enumerate(faces.truths) if split_of(truth.key) is split]
    return faces.take(kept, f"{len(faces) - len(kept)} faces of the other split")


def is_held_out(key: str, share: float) -> bool:
    """Whether a run that holds a `share` of its faces out holds that one out, whatever else there is."""
    first = int.from_bytes(hashlib.sha256(f"held out {key}".encode()).digest()[:8])
    return first < share * 2**64


def split_of(key: str) -> Split:
    """`FIT` or `CHECK`, for the face of that key."""
    first = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
    return Split.CHECK if first % 3 == 0 else Split.FIT
