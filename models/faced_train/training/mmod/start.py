"""What a run begins with: an untrained small network, or MMOD's own weights with its window and suppression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from faced_models.boxes import Overlap
from faced_models.convert.mmod import read_mmod
from faced_models.manifest import load_manifest
from faced_models.network_entry import DetectorWindow
from faced_models.store import verified_reference
from faced_train.training.mmod.geometry import Target
from faced_train.training.mmod.network import DetectorNetwork, full_network, small_network
from faced_train.training.mmod.plan import FULL, Plan
from faced_train.training.mmod.windows import choose_overlaps, choose_windows, kept_apart

SCALE = 1 / 256
"""dlib's input_rgb_image_pyramid: (value - mean) / 256."""

_MEANS = (122.782, 117.001, 104.298)


@dataclass(frozen=True, slots=True)
class Start:
    """A network of one output for each window; `means` are red, green, blue in 0..255."""

    network: DetectorNetwork
    means: tuple[float, float, float]
    windows: tuple[DetectorWindow, ...]
    overlaps: Overlap


def start_of(plan: Plan, truths: Sequence[Sequence[Target]]) -> Start:
    """Windows and suppression by the boxes; MMOD's own, where the boxes are such as it finds.

    Raises:
        WeightsError: MMOD's weights are missing or altered.
    """
    if plan.network != FULL:
        windows = choose_windows(truths, plan.target_size, plan.least_size)
        return Start(small_network(len(windows)), _MEANS, windows, choose_overlaps(truths))
    entry = load_manifest().detector
    original = read_mmod(verified_reference(entry).read_bytes(), entry.name)
    windows = choose_windows(truths, plan.target_size, plan.least_size, original.options.windows)
    nms = original.options.overlaps_nms
    overlaps = Overlap(nms.iou, nms.percent_covered)
    if not kept_apart(truths, overlaps):
        overlaps = choose_overlaps(truths)
    return Start(full_network(original.convolutions, len(windows)), original.means, windows, overlaps)
