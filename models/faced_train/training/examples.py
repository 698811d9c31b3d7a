"""Labelled faces to arrays that a network learns from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faced_proto.types import RgbImage
from faced_train.datasets.ferplus_votes import vote_shares
from faced_train.errors import DataError
from faced_train.faces import Broken, FaceSet, Truth, last_fold
from faced_train.scores.age import ADIENCE_GROUPS, group_of
from faced_train.split import is_held_out
from faced_train.training.recipe import Recipe, TargetPlan

_TRAINING = "Training"
_THUMB_PX = 16
_ALIKE = 0.995
"""Correlation of thumbnails above which two pictures show the same shot."""


@dataclass(frozen=True, slots=True)
class Examples:
    """n faces: `pictures` uint8 [n, channels, side, side], `targets` float32 [n, classes] that sum to 1, `weights`
    float32 [n] of mean 1. `held_out` tells rows that are only looked at, never learnt from.
    """

    faces: FaceSet
    pictures: NDArray[np.uint8]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]
    held_out: NDArray[np.bool_]

    @property
    def learnt(self) -> NDArray[np.intp]:
        """Rows that are learnt from."""
        return np.flatnonzero(~self.held_out)

    @property
    def watched(self) -> NDArray[np.intp]:
        """Rows that tell how it goes."""
        return np.flatnonzero(self.held_out)


def training_rows(faces: FaceSet, recipe: Recipe) -> FaceSet:
    """Rows that may be learnt from and whose target is known; where some are `Training`, these alone.

    Raises:
        DataError: none is left.
    """
    told_apart = any(truth.part == _TRAINING for truth in faces.truths)
    kept = [
        i
        for i, truth in enumerate(faces.truths)
        if (truth.part == _TRAINING or not told_apart) and target_of(truth, recipe.target) is not None
    ]
    return faces if len(kept) == len(faces) else faces.take(kept, f"{len(faces) - len(kept)} rows without a target")


def kept_back_rows(faces: FaceSet) -> FaceSet | None:
    """Rows of parts that nothing may be learnt from; None where there are none. Of folds, each may."""
    others = [i for i, truth in enumerate(faces.truths) if truth.part not in ("", _TRAINING) and not truth.in_fold]
    return faces.take(others) if others else None


def make_examples(
    faces: FaceSet, kept_back: FaceSet | None, recipe: Recipe, side: int, progress: Callable[[int], None]
) -> Examples:
    """The faces as arrays of `side` px; those that look like one that is `kept_back` are left out.

    Raises:
        DataError: a picture cannot be read.
    """
    pictures = _loaded(faces, recipe.network.channels, side, progress)
    if kept_back is not None:
        seen = _alike(pictures, _loaded(kept_back, recipe.network.channels, side, lambda _done: None))
        rows = np.flatnonzero(~seen)
        if len(rows) < len(faces):
            faces = faces.take([int(i) for i in rows], f"{int(seen.sum())} that look like a face that is kept back")
            pictures = pictures[rows]
    targets = np.stack([_required(truth, recipe.target) for truth in faces.truths])
    smoothing = recipe.target.smoothing
    targets = (1 - smoothing) * targets + smoothing / targets.shape[1]
    held_out = _held_out(faces.truths, recipe.held_out)
    if held_out.all() or not held_out.any():
        raise DataError(f"{faces.name}: {len(faces)} faces are too few to hold {recipe.held_out:.0%} of them back")
    weights = _weights(targets[~held_out], targets, recipe.target.balance)
    return Examples(faces, pictures, targets.astype(np.float32), weights, held_out)


def target_of(truth: Truth, plan: TargetPlan) -> NDArray[np.float32] | None:
    """A distribution over the plan's classes; None where the truth does not tell one."""
    if plan.kind == "votes":
        return _votes(truth, plan)
    label = _label(truth, plan)
    label = plan.fold.get(label, label)
    if label not in plan.classes:
        return None
    target = np.zeros(len(plan.classes), np.float32)
    target[plan.classes.index(label)] = 1
    return target


def _label(truth: Truth, plan: TargetPlan) -> str:
    """Its class, "" where it is not known."""
    match plan.kind:
        case "emotion":
            return truth.emotion or ""
        case "gender":
            return truth.gender or ""
        case "age":
            return "" if truth.age is None else str(min(truth.age, len(plan.classes) - 1))
        case "age_group":
            group = truth.age_group
            if group is None and truth.age is not None:
                group = int(group_of(np.array([truth.age], np.float64))[0])
            return "" if group is None else ADIENCE_GROUPS[group]
        case unknown:
            raise DataError(f"[target] kind is {unknown!r}; there are votes, emotion, gender, age, age_group")


def _votes(truth: Truth, plan: TargetPlan) -> NDArray[np.float32] | None:
    """Of rows whose plurality is one of the classes (ties to the lowest column), the votes among them."""
    shares = None if truth.votes is None else vote_shares(truth.votes, plan.classes)
    return None if shares is None else shares.astype(np.float32)


def _required(truth: Truth, plan: TargetPlan) -> NDArray[np.float32]:
    target = target_of(truth, plan)
    if target is None:
        raise DataError(f"{truth.where}: has no target")
    return target


def _loaded(faces: FaceSet, channels: int, side: int, progress: Callable[[int], None]) -> NDArray[np.uint8]:
    pictures = np.empty((len(faces), channels, side, side), np.uint8)
    for i, picture in enumerate(faces.pictures()):
        if isinstance(picture, Broken):
            raise DataError(picture.message)
        pictures[i] = _planes(picture, channels, side)
        progress(i + 1)
    return pictures


def _planes(picture: RgbImage, channels: int, side: int) -> NDArray[np.uint8]:
    if picture.shape[:2] != (side, side):
        shrinks = min(picture.shape[:2]) > side
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        picture = np.asarray(cv2.resize(picture, (side, side), interpolation=how), np.uint8)
    if channels == 1:
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)[None]
    return picture.transpose(2, 0, 1)


def _alike(pictures: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """[n]: whether a picture is one of the others, but for noise, light and compression; mirrored ones too."""
    mine, theirs = _thumbs(pictures), _thumbs(others)
    theirs = np.concatenate((theirs, _thumbs(others[..., ::-1])))
    seen = [(mine[i : i + 2048] @ theirs.T).max(axis=1) > _ALIKE for i in range(0, len(mine), 2048)]
    return np.concatenate(seen)


def _thumbs(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """[n, 256], each of mean 0 and length 1."""
    size = (_THUMB_PX, _THUMB_PX)
    small = np.stack(
        [cv2.resize(one.mean(axis=0, dtype=np.float32), size, interpolation=cv2.INTER_AREA).ravel() for one in pictures]
    )
    small -= small.mean(axis=1, keepdims=True)
    return np.asarray(small / np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-6), np.float32)


def _held_out(truths: Sequence[Truth], share: float) -> NDArray[np.bool_]:
    """Of a data set in folds the last one, since the same people are in no two; else a share of the faces."""
    last = last_fold(truths)
    if last is not None:
        return np.array([truth.part == last for truth in truths])
    return np.array([is_held_out(truth.key, share) for truth in truths])


def _weights(learnt: NDArray[np.float32], targets: NDArray[np.float32], balance: float) -> NDArray[np.float32]:
    share = np.maximum(learnt.mean(axis=0), 1e-3)
    weights = targets @ share**-balance
    return np.asarray(weights / weights.mean(), np.float32)
