"""Whether a detector network is what its entry says and what the decoder of MMOD's scores can read."""

from __future__ import annotations

import numpy as np

from faced_models.errors import ModelError
from faced_models.network_entry import NetworkEntry
from faced_models.session import Session, Signature

_TRIAL = (256, 320)
"""Height and width of the picture that is tried."""


def detector_misfits(entry: NetworkEntry, signature: Signature, session: Session) -> tuple[str, ...]:
    """What does not fit, a sentence each, with the network's own shapes."""
    found: list[str] = []
    windows = 1 if entry.options is None else max(1, len(entry.options.windows))
    listed = ", ".join(map(str, signature.inputs))
    shapes = [tensor.shape for tensor in signature.inputs if tensor.dtype == "float" and len(tensor.shape) == 4]
    if len(signature.inputs) != 1 or not shapes or shapes[0][1] not in (3, None):
        return (*found, f"its inputs are {listed}, expected one, float [pictures, 3, height, width]")
    if any(isinstance(length, int) for length in shapes[0][2:]):
        return (*found, f"its input is {listed}: height and width must be open, pictures of all sizes are searched")
    height, width = _TRIAL
    try:
        shape = session.run(np.zeros((1, 3, height, width), np.float32)).shape
    except ModelError as error:
        return (*found, str(error))
    expected = (1, windows, _after_strides(height), _after_strides(width))
    # A last kernel of even size, padded by its half as in dlib's example, gives a row and a column more.
    if shape not in (expected, (1, windows, expected[2] + 1, expected[3] + 1)):
        found.append(
            f"for a picture of {width}x{height} it gave {list(shape)}, expected {list(expected)}: "
            "a score of each window for every eighth pixel, as MMOD's three 5x5 convolutions of stride 2 make it"
        )
    return tuple(found)


def _after_strides(length: int) -> int:
    for _ in range(3):
        length = (length - 5) // 2 + 1
    return length
