"""How a detector is trained: which of dlib's two networks, and with what rate, crops and patience."""

from __future__ import annotations

from dataclasses import dataclass

_USUAL_BATCH, _USUAL_PATIENCE = 150, 300


@dataclass(frozen=True, slots=True)
class Usual:
    """What a network is trained with unless told otherwise: its window in pixels, and the rate that it begins with.

    `crop_bytes` is what a crop of 200 px takes while it is learnt from, by peaks of 1, 4 and 12 crops.
    """

    window: int
    rate: float
    crop_bytes: int


SMALL, FULL = "small", "full"
NETWORKS = {SMALL: Usual(40, 0.1, 36_000_000), FULL: Usual(80, 1e-4, 20_000_000)}
"""dlib's dnn_mmod_ex.cpp, from nothing; and MMOD's own, from its weights."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a detector is trained; the defaults are those of dlib's dnn_mmod_ex.cpp."""

    network: str = SMALL
    target_size: int = 40
    least_size: int = 40
    crop: int = 200
    batch: int = _USUAL_BATCH
    patience: int = _USUAL_PATIENCE
    rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    seed: int = 0
    steps: int = 0
    """Stop after so many steps in all; 0: when the rate is below `last_rate`."""

    @property
    def last_rate(self) -> float:
        """The lowest that is trained with; dlib's example falls from 0.1 to 1e-4."""
        return self.rate / 1000


def propose(memory_bytes: int, crop: int, crop_bytes: int) -> tuple[int, int]:
    """Batch and patience for crops of `crop` px: at most half of the memory; smaller batches wait longer."""
    batch = max(1, min(_USUAL_BATCH, memory_bytes * 200**2 // (2 * crop_bytes * crop**2)))
    return batch, patience_for(batch)


def patience_for(batch: int) -> int:
    """Steps without progress before the rate falls; 300 for batches of 150, ten times that for 15 and fewer."""
    return round(_USUAL_PATIENCE * min(10.0, max(1.0, _USUAL_BATCH / batch)))
