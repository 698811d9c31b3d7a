"""`faced train detector`: an imglab XML to checkpoints, a curve, and a network with its entry for a server."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from faced_models.atomic_file import write_atomically
from faced_models.convert.mmod_graph import mmod_graph
from faced_models.manifest import load_manifest
from faced_train.manifest_text import with_fields
from faced_train.training.mmod.checkpoint import read_checkpoint
from faced_train.training.mmod.pictures import read_pictures
from faced_train.training.mmod.plan import NETWORKS, Plan, patience_for, propose
from faced_train.training.mmod.start import SCALE
from faced_train.training.mmod.training import DetectorTraining
from faced_train.training.run import train_folder

_MEAN_OF = 100


def train_detector(arguments: argparse.Namespace) -> Path:
    """The folder with `detector.pt`, `curve.png`, NAME.onnx and `models.toml`.

    A batch or a patience that is not asked for is that of the run in the folder, where there is one: what memory is
    free differs from one time to the next.

    Raises:
        DataError: the XML is wrong, or the folder holds another run.
        WeightsError: the file of networks cannot take the entry.
        OSError: the folder cannot be written.
    """
    threads = arguments.threads or os.cpu_count() or 1
    torch.set_num_threads(threads)
    folder: Path = arguments.folder or train_folder() / "detector"
    plan = _plan(arguments, read_checkpoint(folder) or {})
    pictures = read_pictures(arguments.data)
    for note in pictures.notes:
        _say(note)
    folder.mkdir(parents=True, exist_ok=True)
    training = DetectorTraining(plan, pictures, folder, threads)
    for note in training.unreached:
        _say(note)
    shapes = ", ".join(f"{one.width} x {one.height}{' ' + one.label if one.label else ''}" for one in training.windows)
    _say(
        f"{len(pictures.images)} pictures, windows {shapes} px, suppression from {training.overlaps.iou:.3f} "
        f"(covered {training.overlaps.covered:.3f}); batches of {plan.batch}, patience {plan.patience}, in {folder}"
    )
    if training.losses:
        _say(f"goes on after step {len(training.losses)}")
    try:
        training.run(_heard)
    except KeyboardInterrupt:
        _say(f"cut off in step {len(training.losses) + 1}, saved after step {training.saved}")
        raise
    draw_curve(training.losses, training.rates, folder / "curve.png")
    network = mmod_graph(training.settled().folded())
    models_file = folder / "models.toml"
    before = models_file.read_text("utf-8") if models_file.exists() else ""
    after = with_fields(before, arguments.name, _entry(arguments.name, network, training))
    write_atomically(folder / f"{arguments.name}.onnx", network)
    write_atomically(models_file, after.encode())
    made = load_manifest(models_file=models_file).network(arguments.name)
    _say(
        f"done: loss {_recent(training.losses):.3f} after {len(training.losses)} steps; {models_file}: {made.model_id}"
    )
    return folder


def draw_curve(losses: Sequence[float], rates: Sequence[float], path: Path) -> None:
    """Loss, a mean over a hundred steps, and rate, over steps."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    steps = np.arange(1, len(losses) + 1)
    axes.plot(steps, losses, color="#d0d7de", linewidth=0.5, label="a batch")
    window = min(_MEAN_OF, len(losses))
    means = np.convolve(losses, np.ones(window) / window, mode="valid")
    axes.plot(steps[window - 1 :], means, color="#1f6feb", label=f"mean of {window}")
    axes.set(xlabel="step", ylabel="loss, mistakes in a crop", ylim=(0, max(2.5, 1.1 * float(means.max()))))
    for step in np.flatnonzero(np.diff(rates)):
        axes.axvline(float(step + 1), color="#d97706", linewidth=0.8, linestyle=":")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=110)


def _plan(arguments: argparse.Namespace, kept: Mapping[str, Any]) -> Plan:
    usual = NETWORKS[arguments.network]
    batch = arguments.batch or kept.get("batch") or propose(_free_bytes(), arguments.crop, usual.crop_bytes)[0]
    size = arguments.window or usual.window
    return Plan(
        network=arguments.network,
        target_size=size,
        least_size=size,
        crop=arguments.crop,
        batch=batch,
        patience=arguments.patience or kept.get("patience") or patience_for(batch),
        rate=arguments.rate or usual.rate,
        seed=arguments.seed,
        steps=arguments.steps or 0,
    )


def _free_bytes() -> int:
    """Memory that can be had without swapping, what only caches files included, where the kernel tells it."""
    try:
        told = re.search(r"^MemAvailable:\s+(\d+) kB$", Path("/proc/meminfo").read_text("ascii"), re.MULTILINE)
    except OSError:
        told = None
    return int(told[1]) << 10 if told else os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _entry(name: str, network: bytes, training: DetectorTraining) -> dict[str, str]:
    size = max(max(one.width, one.height) for one in training.windows)
    windows = json.dumps(
        [f"{one.width}x{one.height} {one.label}".strip() for one in training.windows], ensure_ascii=False
    )
    overlaps = training.overlaps
    return {
        "role": '"detector"',
        "file": json.dumps(f"{name}.onnx"),
        "sha256": f'"{hashlib.sha256(network).hexdigest()}"',
        "input": f'{{ size = {size}, colour = "rgb", mean = {list(training.means)}, scale = {SCALE} }}',
        "detector": f"{{ iou = {overlaps.iou}, percent_covered = {overlaps.covered}, pyramid_padding = 10, "
        f"pyramid_outer_padding = 11, windows = {windows} }}",
    }


def _heard(training: DetectorTraining) -> None:
    losses = training.losses
    _say(f"step {len(losses)}: loss {_recent(losses):.3f}, rate {training.rate:g}")


def _recent(losses: Sequence[float]) -> float:
    return float(np.mean(losses[-_MEAN_OF:])) if losses else float("nan")


def _say(text: str) -> None:
    sys.stderr.write(f"faced train: {text}\n")
    sys.stderr.flush()
