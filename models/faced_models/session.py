"""What every engine looks like to the rest: one network, ready to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output as the network's file describes it; a dimension that is open is a name or None."""

    name: str
    dtype: str
    shape: tuple[int | str | None, ...]

    def __str__(self) -> str:
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name!r} {self.dtype} [{sizes}]"


@dataclass(frozen=True, slots=True)
class Signature:
    """What goes into a network and what comes out."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


class Session(Protocol):
    """A network on a device. Blocking, without the GIL; may be called from several threads at once."""

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's first output for its one input, the batch being the first dimension of both.

        Raises:
            ModelError: the run failed.
        """
        ...
