"""Loss and accuracy of a run, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from faced_train.training.checkpoint import EpochFigures

_LEAST_SEEN = 1e-3
"""Nats; lines that differ by less lie upon each other."""


def draw_curves(title: str, figures: Sequence[EpochFigures], path: Path) -> None:
    """A PNG or SVG, by its name: cross-entropy on the left, accuracy on the right, over whole epochs."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    epochs = [one.epoch for one in figures]
    losses, accuracies = figure.subplots(1, 2)
    losses.plot(epochs, [one.learnt for one in figures], label="learnt from, augmented", color="#8a8a8a")
    losses.plot(epochs, [one.loss for one in figures], label="held out", color="#1f6feb")
    # The same line where targets are labels.
    if any(abs(one.divergence - one.loss) > _LEAST_SEEN for one in figures):
        losses.plot(epochs, [one.divergence for one in figures], label="held out, KL", color="#d97706")
    losses.set(xlabel="epoch", ylabel="nats", ylim=(0, None))
    losses.legend(frameon=False)
    accuracies.plot(epochs, [100 * one.accuracy for one in figures], color="#1f6feb")
    accuracies.set(xlabel="epoch", ylabel="held out, % right")
    for axes in (losses, accuracies):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.suptitle(title)
    figure.savefig(path, dpi=110)
