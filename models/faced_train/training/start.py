"""What a run begins with: the weights of another run, dlib's, or new ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from faced_models.convert.dlib_resnet import FaceResNetWeights
from faced_train.errors import DataError
from faced_train.training.checkpoint import load
from faced_train.training.crops import normalised, resized
from faced_train.training.data_note import DataNote, read_note
from faced_train.training.examples import Examples
from faced_train.training.face_resnet import FaceResNet
from faced_train.training.pretrained import face_recognition_weights
from faced_train.training.recipe import FACE_RESNET, Recipe, parse_recipe

_SETTLED_BY = 256
"""Pictures whose statistics batch norms begin with."""


@dataclass(frozen=True, slots=True)
class Start:
    """At most one of: the `weights` of another run, or dlib's as it wrote them (`original`)."""

    recipe: Recipe
    weights: Mapping[str, Tensor] | None = None
    original: FaceResNetWeights | None = None
    name: str = ""
    before: DataNote | None = None

    def state(self, examples: Examples) -> Mapping[str, Tensor] | None:
        """The weights that a new run on these examples begins with, by name; None: new ones."""
        if self.original is None:
            return self.weights
        plan = self.recipe.network
        network = FaceResNet(plan.channels, len(self.recipe.target.classes), plan.dropout)
        network.take_over(self.original, plan.mean, plan.scale)
        # Spread over all of them: rows may be in the order of their classes.
        rows = examples.learnt[:: max(1, len(examples.learnt) // _SETTLED_BY)][:_SETTLED_BY]
        network.settle(normalised(resized(torch.from_numpy(examples.pictures[rows]), plan.side), plan))
        return {name: one for name, one in network.state_dict().items() if not name.startswith("head.")}

    def noted(self, note: DataNote) -> DataNote:
        """The note of a run that begins so."""
        return note.after(self.name, self.before) if self.name else note


def start_of(recipe: Recipe, other: Path | None, folder: Path, say: Callable[[str], None]) -> Start:
    """Of a new run of the recipe that is given the run `other` to begin with; `folder` keeps what was fetched.

    Raises:
        DataError: the other run is of another kind of network, or none.
        WeightsError: dlib's weights cannot be had.
        OSError: the folder cannot be written.
    """
    if other is not None:
        checkpoint = load(other)
        if checkpoint is None:
            raise DataError(f"{other}: there is no checkpoint to start with")
        theirs = parse_recipe(checkpoint.recipe, f"the recipe in {other}")
        if theirs.network.kind != recipe.network.kind:
            raise DataError(
                f"{other}: is a run of a {theirs.network.kind}, the recipe {recipe.name!r} is of a "
                f"{recipe.network.kind}: nothing of it fits"
            )
        return Start(recipe, weights=checkpoint.best, name=theirs.name, before=read_note(other))
    if recipe.network.kind != FACE_RESNET:
        return Start(recipe)
    return Start(recipe, original=face_recognition_weights(folder, say), name="dlib's face recognition network")
