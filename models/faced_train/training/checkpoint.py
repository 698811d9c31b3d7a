"""What a training run keeps on disk after every epoch, so that it can go on as if it had not been cut off."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from faced_train.errors import DataError

NAME = "checkpoint.pt"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class EpochFigures:
    """An epoch as it went: losses are mean cross-entropies, `accuracy` of the plurality, of rows held out; in
    seconds. `learnt` is of augmented pictures under the weights of the moment, the others of the running mean.
    """

    epoch: int
    learnt: float
    loss: float
    divergence: float
    accuracy: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """After `epochs` whole epochs. Random numbers are drawn from the seed and the epoch's number, so none are kept."""

    recipe: str
    data: str
    epochs: int
    weights: Mapping[str, Tensor]
    average: Mapping[str, Tensor]
    optimiser: Mapping[str, object]
    figures: tuple[EpochFigures, ...]

    @property
    def best(self) -> Mapping[str, Tensor]:
        """The weights that are exported: their running mean where there is one."""
        return self.average or self.weights


def save(checkpoint: Checkpoint, folder: Path) -> None:
    """As a whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f".{NAME}"
    content = {
        "format": _FORMAT,
        "recipe": checkpoint.recipe,
        "data": checkpoint.data,
        "epochs": checkpoint.epochs,
        "weights": dict(checkpoint.weights),
        "average": dict(checkpoint.average),
        "optimiser": dict(checkpoint.optimiser),
        "figures": [asdict(one) for one in checkpoint.figures],
    }
    with made.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    made.replace(folder / NAME)


def load(folder: Path) -> Checkpoint | None:
    """The one of a run; None where it has none.

    Raises:
        DataError: it cannot be read.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content.pop("format") != _FORMAT:
            raise DataError(f"{path}: made by another version of faced")
        figures = tuple(EpochFigures(**one) for one in content.pop("figures"))
        return Checkpoint(figures=figures, **content)
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, EOFError) as error:
        raise DataError(f"{path}: is no checkpoint: {error}") from error
