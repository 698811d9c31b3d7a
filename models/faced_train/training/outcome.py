"""What a run has come to, on the rows that it held out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faced_train.training.recipe import TargetPlan

_ORDERED = ("age", "age_group")


def outcome(probabilities: NDArray[np.float64], targets: NDArray[np.float64], plan: TargetPlan) -> dict[str, object]:
    """`accuracy` of the plurality and `confusion` (true classes down); `one_off` for ages, counted in classes; `clear`
    is the accuracy where more than half of a target is one class.
    """
    found, true = probabilities.argmax(axis=1), targets.argmax(axis=1)
    size = len(plan.classes)
    clear = targets.max(axis=1) > 0.5
    result: dict[str, object] = {
        "n": len(true),
        "accuracy": round(float((found == true).mean()), 6),
        "clear": round(float((found == true)[clear].mean()), 6) if clear.any() else None,
    }
    if plan.kind in _ORDERED:
        result["one_off"] = round(float((np.abs(found - true) <= 1).mean()), 6)
    result["labels"] = list(plan.classes)
    result["confusion"] = np.bincount(true * size + found, minlength=size * size).reshape(size, size).tolist()
    return result
