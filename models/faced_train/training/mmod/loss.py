"""The loss of max-margin object detection (King, arXiv:1502.00046), with suppression inside, as dlib's loss_mmod."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from faced_models.boxes import Overlap
from faced_train.training.mmod.geometry import Grid, Target, UnreachableError, iou

_IGNORED_OVERLAPS = Overlap(0.5, 1.0)

_MOST_FIRST = 100
"""So many times as many outputs as detections are looked at; beyond, the threshold rises."""


@dataclass(frozen=True, slots=True)
class LossOptions:
    """What a mistake costs, when boxes are the same (`overlaps`), and when a detection lies on an ignored one."""

    overlaps: Overlap
    ignored_overlaps: Overlap = _IGNORED_OVERLAPS
    false_alarm: float = 1.0
    missed: float = 1.0
    match_iou: float = 0.5


@dataclass(frozen=True, slots=True)
class Judgement:
    """`signs` float32 [n, windows, rows, columns]: +1 for what is detected with the margin, -1 for what ought to be.

    The loss of an image is the sum of its signs times its scores, plus what the mistakes cost. `left_out` are targets
    that are not learnt: (image, target, why).
    """

    loss: float
    signs: NDArray[np.float32]
    left_out: tuple[tuple[int, int, str], ...]


def mmod_loss(
    scores: Tensor, truths: Sequence[Sequence[Target]], grid: Grid, options: LossOptions
) -> tuple[Tensor, Judgement]:
    """What is to be minimised, and how the scores [n, windows, rows, columns] were judged.

    `Judgement.loss` is roughly the number of mistakes in an image; what is minimised has the same gradient divided by
    the number of outputs of an image, as dlib does it.
    """
    judged = judge(scores.detach().float().numpy(), truths, grid, options)
    signs = torch.from_numpy(judged.signs)
    return (signs * scores.float()).sum() / scores.numel(), judged


def judge(
    scores: NDArray[np.float32], truths: Sequence[Sequence[Target]], grid: Grid, options: LossOptions
) -> Judgement:
    """The detections that violate the margin most, against what ought to be detected."""
    signs = np.zeros(scores.shape, np.float32)
    total, raised = 0.0, 0.0
    left_out: list[tuple[int, int, str]] = []
    for number, (plane, targets) in enumerate(zip(scores, truths, strict=True)):
        image = _Image(plane.reshape(-1).astype(np.float64), targets, grid, options, raised)
        loss, notes = image.judge(signs[number].reshape(-1))
        total += loss
        raised = image.raised
        left_out += [(number, target, why) for target, why in notes]
    return Judgement(float(total) / len(scores), signs, tuple(left_out))


class _Image:
    """One image's scores, flat, and targets."""

    def __init__(
        self, scores: NDArray[np.float64], targets: Sequence[Target], grid: Grid, options: LossOptions, raised: float
    ) -> None:
        self._scores, self._targets, self._grid, self._options = scores, targets, grid, options
        self._most = 50 + 5 * len(targets)
        chosen = np.flatnonzero(scores > raised - options.false_alarm)
        self._order = chosen[np.argsort(-scores[chosen], kind="stable")]
        first = self._most * _MOST_FIRST
        self.raised = raised
        if len(chosen) > first:
            self.raised = max(raised, float(scores[self._order[first]]) + options.false_alarm)
        self._boxes = grid.rectangles[self._order]
        self._areas = (self._boxes[:, 2] - self._boxes[:, 0] + 1) * (self._boxes[:, 3] - self._boxes[:, 1] + 1)
        per_window = len(grid.rectangles) // len(grid.windows)
        labels = np.array([window.label for window in grid.windows])[self._order // per_window]
        # [detections, targets]: how well each detection fits each target; those that cannot be hit fit none.
        self._fits = np.zeros((len(self._order), len(targets)))
        for index, target in enumerate(targets):
            if not target.ignored:
                self._fits[:, index] = np.where(labels == target.label, self._ious(target), 0.0)

    def judge(self, signs: NDArray[np.float32]) -> tuple[float, list[tuple[int, str]]]:
        """The loss, and the targets that are left out; fills in `signs`."""
        options = self._options
        loss = 0.0
        places, notes = self._places()
        for place in places.values():
            loss += options.missed - self._scores[place]
            signs[place] -= 1
        gains, hit = self._gains()
        for index, why in self._hidden(hit):
            if index in places:
                place = places[index]
                loss -= options.missed - self._scores[place]
                signs[place] = 0
                notes.append((index, why))
        for place, cost in self._worst(gains):
            loss += self._scores[place] + cost
            signs[place] += 1
        return loss, notes

    def _places(self) -> tuple[dict[int, int], list[tuple[int, str]]]:
        """Target -> the output that is to find it, of those that one can find."""
        places: dict[int, int] = {}
        notes: list[tuple[int, str]] = []
        taken: dict[int, int] = {}
        for index, target in enumerate(self._targets):
            if target.ignored:
                continue
            try:
                place = self._grid.place(target, self._options.match_iou)
            except UnreachableError as error:
                notes.append((index, str(error)))
                continue
            if place in taken:
                notes.append((index, "another box lies on the same place of the network's grid"))
                continue
            places[index] = taken[place] = place
        return places, notes

    def _gains(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """For each target the scores of its detections, duplicates with what they cost; and which are hit."""
        gains, hit = np.zeros(len(self._targets)), np.zeros(len(self._targets), np.bool_)
        alive = np.ones(len(self._order), np.bool_)
        kept, start = 0, 0
        while kept < self._most and (index := _next(alive, start)) is not None:
            start = index + 1
            target, fit = self._match(index, hit)
            self._suppress(alive, index)
            kept += 1
            if fit > self._options.match_iou:
                gains[target] += self._scores[self._order[index]] + (self._options.false_alarm if hit[target] else 0.0)
                hit[target] = True
        return gains, hit

    def _worst(self, gains: NDArray[np.float64]) -> list[tuple[int, float]]:
        """The detections that raise the loss most, and what each costs beside its score.

        A right one lowers it by a miss; it is taken where it and its duplicates bring more.
        """
        options = self._options
        hit = np.zeros(len(self._targets), np.bool_)
        alive = np.ones(len(self._order), np.bool_)
        found: list[tuple[int, float]] = []
        start = 0
        while len(found) < self._most and (index := _next(alive, start)) is not None:
            start = index + 1
            target, fit = self._match(index, hit)
            if fit > options.match_iou:
                if gains[target] <= options.missed:
                    continue
                cost = options.false_alarm if hit[target] else -options.missed
                hit[target] = True
            elif self._on_ignored(index):
                continue
            else:
                cost = options.false_alarm
            found.append((int(self._order[index]), cost))
            self._suppress(alive, index)
        return found

    def _match(self, index: int, hit: NDArray[np.bool_]) -> tuple[int, float]:
        """The target that a detection fits best, of those that are not hit yet; if it fits none of them, of all."""
        if not len(self._targets):
            return 0, 0.0
        fits = self._fits[index]
        free = np.where(hit, 0.0, fits)
        best = int((free if free.any() else fits).argmax())
        return best, float(fits[best])

    def _hidden(self, hit: NDArray[np.bool_]) -> list[tuple[int, str]]:
        """Targets that were not hit because suppression takes them for another target."""
        found = []
        for index, target in enumerate(self._targets):
            if hit[index] or target.ignored:
                continue
            others = [
                (iou(target.box, other.box), -number)
                for number, other in enumerate(self._targets)
                if number != index and not other.ignored
            ]
            fit, number = max(others, default=(0.0, 0))
            # dlib takes the first target where none fits.
            other = self._targets[-number if fit > 0 else 0]
            if other is target or other.ignored:
                continue
            if self._options.overlaps(other.box, target.box):
                found.append((index, "suppression takes it for another box, which it overlaps"))
        return found

    def _on_ignored(self, index: int) -> bool:
        box = self._boxes[index]
        return any(
            target.ignored and bool(_overlapping(self._options.ignored_overlaps, _row(target), box[None])[0])
            for target in self._targets
        )

    def _suppress(self, alive: NDArray[np.bool_], index: int) -> None:
        rest = slice(index + 1, None)
        alive[rest] &= ~_overlapping(self._options.overlaps, self._boxes[index], self._boxes[rest])

    def _ious(self, target: Target) -> NDArray[np.float64]:
        inner = _inner(_row(target), self._boxes)
        ious: NDArray[np.float64] = inner / (self._areas + target.box.area - inner)
        return ious


def _next(alive: NDArray[np.bool_], start: int) -> int | None:
    """The first one that is alive from `start` on."""
    rest = alive[start:]
    step = int(rest.argmax()) if len(rest) else 0
    return start + step if len(rest) and rest[step] else None


def _row(target: Target) -> NDArray[np.float64]:
    box = target.box
    return np.array([box.left, box.top, box.right, box.bottom], np.float64)


def _inner(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    width = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0]) + 1
    height = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1]) + 1
    inner: NDArray[np.float64] = np.maximum(width, 0) * np.maximum(height, 0)
    return inner


def _overlapping(overlaps: Overlap, box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.bool_]:
    """`Overlap` of a box with many."""
    inner = _inner(box, others)
    around = (np.maximum(box[2], others[:, 2]) - np.minimum(box[0], others[:, 0]) + 1) * (
        np.maximum(box[3], others[:, 3]) - np.minimum(box[1], others[:, 1]) + 1
    )
    area = (box[2] - box[0] + 1) * (box[3] - box[1] + 1)
    areas = (others[:, 2] - others[:, 0] + 1) * (others[:, 3] - others[:, 1] + 1)
    overlapping: NDArray[np.bool_] = (
        (inner / around > overlaps.iou) | (inner / area > overlaps.covered) | (inner / areas > overlaps.covered)
    ) & (inner > 0)
    return overlapping
