"""What figures are called, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FIGURES: Mapping[str, str] = MappingProxyType(
    {
        "accuracy": "accuracy",
        "accuracy_6": "accuracy over 6 classes",
        "macro_f1": "macro-F1",
        "nll": "negative log-likelihood",
        "ece": "expected calibration error (ECE)",
        "ece_perfect": "ECE that chance alone shows on so many faces",
        "n_votes": "faces with votes for an emotion",
        "accuracy_votes": "accuracy against the votes' plurality",
        "accuracy_clear": "the same where more than half agree",
        "ece_votes": "ECE against the votes' plurality",
        "kl_votes": "KL divergence to the votes",
        "n_16": "faces of 16 years and more",
        "accuracy_16": "accuracy from 16 years",
        "ece_16": "ECE from 16 years",
        "ece_16_perfect": "ECE from 16 years that chance alone shows",
        "under_16_shown": "under-16s whose gender is shown",
        "from_20_hidden": "people of 20 and more whose gender is hidden",
        "mae": "mean absolute error, years",
        "mae_uncapped": "the same, years above 80 counted in full",
        "bias": "mean error, years",
        "exact": "right age group",
        "one_off": "right or neighbouring age group",
        "crps": "continuous ranked probability score, years",
        "coverage_50": "50 % interval holds the age",
        "width_50": "width of the 50 % interval, years",
        "coverage_90": "90 % interval holds the age",
        "width_90": "width of the 90 % interval, years",
        "ap50": "average precision at IoU 0.5",
        "precision": "precision",
        "recall": "recall",
    }
)
"""In the order in which they are told."""

_PLAIN = frozenset({"nll", "kl_votes", "mae", "mae_uncapped", "bias", "crps", "width_50", "width_90"})
_COUNTS = frozenset({"n", "missed", "n_16", "n_votes", "faces"})


def told(name: str, value: object) -> str:
    """A figure in its unit: shares in per cent, years, counts."""
    if not isinstance(value, int | float):
        return "-"
    if name in _COUNTS:
        return f"{value:,}"
    if name in _PLAIN:
        return f"{value:.3f}" if name in ("nll", "kl_votes") else f"{value:.2f}"
    return f"{100 * value:.1f} %"


def condition_name(row: Mapping[str, object]) -> str:
    """`face 40 px`, `blur 2 px`, `turned 30°`."""
    if "face_px" in row:
        return f"face {row['face_px']} px"
    if "blur_px" in row:
        return f"blur {row['blur_px']:g} px"
    return f"turned {row['degrees']:g}°"
