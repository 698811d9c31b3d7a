"""How a network wants its face cut out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CropRecipe:
    """A crop of `size` x `size` pixels; hashable.

    `kind` "chip" is dlib's upright face chip; `padding` is the margin around it as a fraction of its side.
    """

    kind: str
    size: int
    padding: float
