"""Runs an ONNX Runtime session with its memory bound: frames cross to the device once, scores come back once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, RunOptions


def bound_run(
    session: InferenceSession,
    batch: NDArray[np.float32] | NDArray[np.uint8],
    options: RunOptions | None = None,
    *,
    output: str | None = None,
) -> NDArray[np.float32]:
    """The session's output of that name, else its first, for its one input.

    Safe for threads: each run has its own binding.

    Raises what ONNX Runtime raises.
    """
    binding = session.io_binding()
    # Copies to the session's device at once, so that the run itself waits for nothing.
    binding.bind_cpu_input(session.get_inputs()[0].name, np.ascontiguousarray(batch))
    binding.bind_output(output or session.get_outputs()[0].name, "cpu")
    session.run_with_iobinding(binding, options)
    scores: NDArray[np.float32] = binding.get_outputs()[0].numpy()
    return scores
