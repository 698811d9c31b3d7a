"""What every engine looks like to the rest: one network, ready to run."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Session(Protocol):
    """A network on a device. Blocking, without the GIL; may be called from several threads at once."""

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's first output for its one input, the batch being the first dimension of both.

        Raises:
            ModelError: the run failed.
        """
        ...
