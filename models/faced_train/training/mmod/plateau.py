"""Whether a loss still falls: dlib's count_steps_without_decrease, by the slope of a line through the last losses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_DISCARDED = 0.1


def without_decrease(losses: Sequence[float], patience: int) -> bool:
    """True if for `patience` steps it is not more likely than not that they fall, also without the highest tenth."""
    if len(losses) < patience:
        return False
    values = np.asarray(losses, np.float64)
    robust = values[values <= np.quantile(values, 1 - _DISCARDED)]
    return _steps(values) >= patience and _steps(robust) >= patience * (1 - _DISCARDED)


def _steps(values: NDArray[np.float64]) -> int:
    """The longest stretch up to the end that does not fall."""
    backwards = values[::-1] - values.mean()
    count = np.arange(1, len(backwards) + 1, dtype=np.float64)
    x = count - 1
    sx, sy = np.cumsum(x), np.cumsum(backwards)
    sxx = np.cumsum(x * x) - sx * sx / count
    sxy = np.cumsum(x * backwards) - sx * sy / count
    # Towards the past the line rises where the loss falls; its probability is above one half where the slope is
    # above 0, and above 0.51 from a fortieth of a standard error on.
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = sxy / sxx
        syy = np.cumsum(backwards * backwards) - sy * sy / count
        error = np.sqrt(np.maximum(syy - slope * sxy, 0) / (count - 2) / sxx)
        falling = slope > 0.0250689 * error
    flat = np.flatnonzero(~falling[2:])
    return int(flat[-1]) + 3 if len(flat) else 0
