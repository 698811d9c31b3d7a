"""`faced train`: a data set and a recipe to checkpoints, a log and curves."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from faced_service.networks import load_networks
from faced_service.settings import Settings
from faced_train.datasets.opening import open_faces
from faced_train.errors import DataError
from faced_train.faces import FaceSet
from faced_train.progress import Progress
from faced_train.training.augmentation import Squares, squares_of
from faced_train.training.checkpoint import NAME as CHECKPOINT
from faced_train.training.checkpoint import EpochFigures
from faced_train.training.curves import draw_curves
from faced_train.training.data_note import data_note, write_note
from faced_train.training.examples import Examples, kept_back_rows, make_examples, training_rows
from faced_train.training.outcome import outcome
from faced_train.training.placing import place
from faced_train.training.recipe import RECIPES, Recipe, read_recipe
from faced_train.training.start import start_of
from faced_train.training.training import Listener, Training

_SMOKE_FACES = 400
_LOG = "log.jsonl"


def train(arguments: argparse.Namespace) -> Path:
    """The folder with the checkpoint, `log.jsonl`, `curves.png`, `recipe.toml` and, at the end, `outcome.json`.

    Raises:
        DataError: the data or the recipe is wrong, or the folder holds another run.
        WeightsError, DeviceError: the detector, or what the network begins with, cannot be loaded.
        OSError: the folder cannot be written.
    """
    votes = getattr(arguments, "votes", None)
    usual = "emotion-fer2013" if arguments.subject == "emotion" and votes is None else arguments.subject
    recipe = _recipe(arguments.recipe or usual, arguments.subject)
    if arguments.smoke:
        recipe = _shortened(recipe)
    folder: Path = arguments.folder or train_folder() / (recipe.name + ("-smoke" if arguments.smoke else ""))
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(arguments.threads or os.cpu_count() or 1)
    goes_on = (folder / CHECKPOINT).exists()
    start = None if goes_on else start_of(recipe, arguments.start, train_folder() / "pretrained", _say)
    faces = open_faces(arguments.data, recipe.subject, votes=votes, skip_bad=arguments.skip_bad)
    examples = _examples(faces, recipe, smoke=arguments.smoke)
    for note in examples.faces.left_out:
        _say(f"left out: {note}")
    squares = _squares(examples, recipe, arguments.threads) if recipe.augment.served else None
    training = Training(recipe, examples, squares, folder, start.state(examples) if start else None)
    _say(f"{recipe.name}: {len(examples.learnt)} faces to learn from, {len(examples.watched)} held out, in {folder}")
    (folder / "recipe.toml").write_text(recipe.text, "utf-8")
    if start:
        write_note(start.noted(data_note(examples.faces, recipe.held_out)), folder)
    figures = list(training.figures)

    def noted(one: EpochFigures) -> None:
        figures.append(one)
        _log(folder, one, recipe)
        draw_curves(recipe.name, figures, folder / "curves.png")

    with Progress(recipe.name, recipe.schedule.epochs * 1000) as progress:
        training.run(Listener(_bar(progress, figures), noted), arguments.epochs)
    if len(figures) == recipe.schedule.epochs:
        _finish(training, examples, recipe, folder)
    return folder


def train_folder() -> Path:
    """Where runs lie: `FACED_TRAIN_DIR`, else `faced/training` in the user's data folder; never in a work tree."""
    default = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "faced" / "training"
    return Path(os.environ.get("FACED_TRAIN_DIR") or default)


def _recipe(name: str, subject: str) -> Recipe:
    path = Path(name) if name.endswith(".toml") else RECIPES / f"{name}.toml"
    if not path.exists():
        known = ", ".join(sorted(one.stem for one in RECIPES.glob("*.toml")))
        raise DataError(f"there is no recipe {name!r}; there are {known}, or name a .toml file")
    recipe = read_recipe(path)
    if recipe.subject != subject:
        raise DataError(f"{path}: is for {recipe.subject}, not for {subject}")
    return recipe


def _shortened(recipe: Recipe) -> Recipe:
    """Two epochs of a few faces, with little of everything."""
    schedule = replace(recipe.schedule, epochs=2, batch=32, sides=())
    return replace(recipe, held_out=0.2, schedule=schedule, text=f"# Shortened by --smoke.\n{recipe.text}")


def _examples(faces: FaceSet, recipe: Recipe, *, smoke: bool) -> Examples:
    chosen = training_rows(faces, recipe)
    if smoke and len(chosen) > _SMOKE_FACES:
        chosen = chosen.take(range(_SMOKE_FACES), f"{len(chosen) - _SMOKE_FACES} by --smoke")
    kept_back = None if smoke else kept_back_rows(faces)
    with Progress("reading", len(chosen)) as progress:
        return make_examples(chosen, kept_back, recipe, recipe.kept_side, progress.reached)


def _squares(examples: Examples, recipe: Recipe, threads: int | None) -> Squares:
    settings = Settings(cpu_threads=threads, allowed_attributes=(recipe.subject,))
    models = load_networks(settings).models
    with Progress("the server's crops", len(examples.faces)) as progress:
        placements = place(examples.faces, models, train_folder() / "placements", progress.reached)
    _say(f"{int((~placements.found).sum())} faces are not found by the detector: their crops are as handed out")
    return squares_of(placements, recipe.kept_side)


def _finish(training: Training, examples: Examples, recipe: Recipe, folder: Path) -> None:
    rows = examples.watched
    probabilities = training.probabilities(torch.from_numpy(rows)).double().numpy()
    found = outcome(probabilities, examples.targets[rows].astype(np.float64), recipe.target)
    (folder / "outcome.json").write_text(json.dumps(found) + "\n", "utf-8")
    figures = ", ".join(f"{name} {found[name]:.1%}" for name in ("accuracy", "clear", "one_off") if found.get(name))
    _say(f"done: {figures} of {found['n']} faces held out; {folder}")


def _bar(progress: Progress, figures: list[EpochFigures]) -> Callable[[int, int], None]:
    return lambda batch, batches: progress.reached(len(figures) * 1000 + batch * 1000 // batches)


def _log(folder: Path, one: EpochFigures, recipe: Recipe) -> None:
    with (folder / _LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(one)) + "\n")
    _say(
        f"epoch {one.epoch} of {recipe.schedule.epochs}: loss {one.learnt:.4f}; held out {one.loss:.4f}, "
        f"KL {one.divergence:.4f}, {one.accuracy:.1%} right; {one.seconds:.0f} s"
    )


def _say(text: str) -> None:
    sys.stderr.write(f"faced train: {text}\n")
    sys.stderr.flush()
