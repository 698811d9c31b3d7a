"""How figures change with the size of a face on entry, with blur and with rotation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np

from faced_proto.types import RgbImage
from faced_train.eval_task import Task
from faced_train.evaluation import Observed
from faced_train.faces import Broken, Truth
from faced_train.framing import Condition, altered
from faced_train.observers import Observation, ServedObserver
from faced_train.record import figures

CONDITIONS = (
    *(Condition(face_px=size) for size in (20, 30, 40, 60, 80, 115, 160)),
    *(Condition(blur_px=blur) for blur in (1.0, 2.0, 4.0)),
    *(Condition(degrees=degrees) for degrees in (-30.0, -15.0, 15.0, 30.0, 45.0)),
)
"""The server doubles pictures for faces below 80 px, as it does for callers who ask for such."""

_CHUNK = 32


def condition_figures(
    observer: ServedObserver, task: Task, observed: Observed, faces: int, progress: Callable[[int], None]
) -> list[dict[str, object]]:
    """`faces` of those that were found as they are, evenly taken, under every condition; `missed` of these."""
    taken = observed.found[[i * len(observed.found) // faces for i in range(min(faces, len(observed.found)))]]
    taken = np.unique(taken)
    widths = observed.face_px[np.searchsorted(observed.found, taken)]
    chosen = task.faces.take([int(i) for i in taken])
    answers: list[list[Observation | None]] = [[] for _ in CONDITIONS]
    crops: list[RgbImage] = []
    begin = 0
    for picture in chosen.pictures():
        if isinstance(picture, Broken):
            raise AssertionError(f"a picture that was found cannot be read any more: {picture.message}")
        crops.append(picture)
        if len(crops) == _CHUNK or begin + len(crops) == len(chosen):
            here = widths[begin : begin + len(crops)]
            for condition, found in zip(CONDITIONS, answers, strict=True):
                frames = [altered(crop, condition, px) for crop, px in zip(crops, here, strict=True)]
                found.extend(observer.observe_frames(frames))
                progress(len(frames))
            begin += len(crops)
            crops = []
    return [
        {**_named(condition), **_figures(task, chosen.truths, found)}
        for condition, found in zip(CONDITIONS, answers, strict=True)
    ]


def _named(condition: Condition) -> dict[str, object]:
    standard = asdict(Condition())
    return {name: value for name, value in asdict(condition).items() if value != standard[name]}


def _figures(task: Task, truths: Sequence[Truth], found: Sequence[Observation | None]) -> dict[str, object]:
    here = [i for i, answer in enumerate(found) if answer is not None]
    counts: dict[str, object] = {"n": len(here), "missed": len(found) - len(here)}
    axis = task.entry.axis
    if not here or axis is None:
        return counts
    seen = [answer for answer in found if answer is not None]
    probabilities = {
        name: np.array([answer.probabilities[name] for answer in seen], np.float64) for name in seen[0].probabilities
    }
    scored = task.subject.score(probabilities, [truths[i] for i in here], task.entry.attribute, axis)
    return counts | figures(scored.scorer, np.arange(len(here)))
