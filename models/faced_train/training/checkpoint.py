"""What a training run keeps on disk after every epoch, so that it can go on as if it had not been cut off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

from faced_train.errors import DataError
from faced_train.training.state_file import no_checkpoint, read_state, write_state

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
    write_state(content, folder / NAME)


def load(folder: Path) -> Checkpoint | None:
    """The one of a run; None where it has none.

    Raises:
        DataError: it cannot be read.
    """
    path = folder / NAME
    content = read_state(path)
    if content is None:
        return None
    try:
        if content.pop("format") != _FORMAT:
            raise DataError(f"{path}: made by another version of faced")
        figures = tuple(EpochFigures(**one) for one in content.pop("figures"))
        return Checkpoint(figures=figures, **content)
    except (KeyError, TypeError) as error:
        raise no_checkpoint(path, error) from error
