"""`faced eval X --crops`: every way to cut faces out, on the same boxes and landmarks, to choose the best by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faced_models.bundle import Models
from faced_models.crop import CropKind, CropRecipe
from faced_proto.types import RgbImage
from faced_train.errors import DataError
from faced_train.eval_task import Task
from faced_train.face_search import find_face
from faced_train.faces import Broken, Truth
from faced_train.framing import framed
from faced_train.progress import Progress
from faced_train.record import Record, figures

_PADDINGS = {
    CropKind.CHIP: (0.1, 0.15, 0.2, 0.25, 0.3, 0.4),
    CropKind.BOX: (0.0, 0.05, 0.1, 0.2),
    CropKind.BLEND: (0.15, 0.2, 0.25, 0.3),
    CropKind.FACE_ALIGNER: (0.3, 0.325, 0.35),
}
_AT_ONCE = 64


def compare_crops(task: Task) -> Record:
    """Figures of every recipe, on faces that are found; `chosen` is the one that is in force."""
    models = task.load()
    classifier = models.classifiers[task.entry.attribute]
    own = classifier.recipe
    recipes = [CropRecipe(kind, own.size, padding) for kind, paddings in _PADDINGS.items() for padding in paddings]
    recipes += [] if own in recipes else [own]
    waiting: dict[CropRecipe, list[NDArray[np.uint8]]] = {recipe: [] for recipe in recipes}
    answers: dict[CropRecipe, list[NDArray[np.float32]]] = {recipe: [] for recipe in recipes}
    truths: list[Truth] = []

    def classify() -> None:
        for recipe, crops in waiting.items():
            if crops:
                answers[recipe].append(classifier.probabilities(np.concatenate(crops)))
                crops.clear()

    with Progress("crops", len(task.faces)) as progress:
        for truth, picture in zip(task.faces.truths, task.faces.pictures(), strict=True):
            progress.advance(1)
            crops = None if isinstance(picture, Broken) else _crops(models, picture, recipes)
            if crops is None:
                continue
            truths.append(truth)
            for recipe, crop in crops.items():
                waiting[recipe].append(crop)
            if len(waiting[own]) == _AT_ONCE:
                classify()
    classify()
    if not truths:
        raise DataError(f"{task.faces.name}: no face was found")
    axis = task.entry.axis
    assert axis is not None
    rows = []
    for recipe in recipes:
        probabilities = {task.entry.attribute: np.concatenate(answers[recipe]).astype(np.float64)}
        scored = task.subject.score(probabilities, truths, task.entry.attribute, axis)
        name = f"{recipe.kind.value} {recipe.padding:g}"
        rows.append({"crop": name, **figures(scored.scorer, np.arange(len(truths)))})
    return {
        "attribute": task.subject.name,
        "model": classifier.info.model,
        "n": len(truths),
        "missed": len(task.faces) - len(truths),
        "chosen": f"{own.kind.value} {own.padding:g}",
        "crops": rows,
    }


def _crops(models: Models, picture: RgbImage, recipes: list[CropRecipe]) -> dict[CropRecipe, NDArray[np.uint8]] | None:
    """By recipe [1, size, size, 3]; None where no face is found."""
    frame = framed(picture)
    box = find_face(models.detector, frame)
    if box is None:
        return None
    aligner = models.aligner
    landmarks = aligner.landmarks(frame.image, [box])
    return {recipe: aligner.crops(frame.image, [box], landmarks, recipe) for recipe in recipes}
