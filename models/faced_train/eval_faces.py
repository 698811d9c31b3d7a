"""`faced eval emotion|gender|age`: labelled faces to a record."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faced_models.classifier_loader import load_classifier
from faced_service.settings import SettingsError
from faced_train.conditions import CONDITIONS, condition_figures
from faced_train.crop_choice import compare_crops
from faced_train.eval_task import CROP, HELD_OUT, SERVED, Task, prepare, say
from faced_train.evaluation import Observed
from faced_train.observers import CropObserver, Observer, ServedObserver
from faced_train.progress import Progress
from faced_train.record import Record, Setup, make_record
from faced_train.split import Split


def add_arguments(parser: argparse.ArgumentParser, subject: str) -> None:
    """Flags of the three subjects."""
    add_data_arguments(parser, subject)
    parser.add_argument(
        "--path",
        choices=[SERVED, CROP],
        default=SERVED,
        help="served: enlarged, padded, found and aligned as the server does it; crop: as handed out, to compare with "
        "papers (default: served)",
    )
    parser.add_argument("--raw", action="store_true", help="the networks' own probabilities, without calibration")
    parser.add_argument("--crops", action="store_true", help="compare ways to cut faces out, and nothing else")
    parser.add_argument(
        "--conditions",
        type=int,
        metavar="N",
        help="also put N faces through every size (20 to 160 px), blur and rotation",
    )


def add_data_arguments(parser: argparse.ArgumentParser, subject: str, *, split: str = "all") -> None:
    """Flags that tell which faces and which network; `faced calibrate` has them too."""
    if subject == "emotion":
        parser.add_argument("--votes", type=Path, metavar="FILE", help="FER+'s votes for the same rows")
    parser.add_argument(
        "--usage",
        default=HELD_OUT,
        metavar="NAME",
        help="rows of this part of the data set (FER2013's Usage: Training, PublicTest, PrivateTest); held-out: those "
        "that the network was not trained on, if the data set has any; all (default: held-out)",
    )
    parser.add_argument("--model", metavar="NAME", help="another network than the default one")
    parser.add_argument(
        "--split",
        choices=[split.value for split in Split],
        default=split,
        help=f"fit: two thirds of the faces, told apart by the faces themselves; check: the rest (default: {split})",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only every k-th face, N in all")
    parser.add_argument("--skip-bad", action="store_true", help="leave out pictures and names that cannot be read")
    parser.add_argument("--fresh", action="store_true", help="do not go on where an earlier run was cut short")


def evaluate(arguments: argparse.Namespace) -> Record:
    """Everything about one data set.

    Raises:
        DataError, SettingsError, WeightsError, DeviceError, ModelError: what is wrong.
    """
    task = prepare(arguments, raw=arguments.raw or arguments.crops)
    for note in task.faces.left_out:
        say(f"left out: {note}")
    if arguments.crops:
        return compare_crops(task)
    info = task.info
    setup = Setup(task.subject.name, info.model, info.calibrated, arguments.path, arguments.split)
    with observing(task, arguments.path) as observer:
        observed = observe(task, observer, arguments)
        scored = None
        if len(observed.found) and info.axis is not None:
            truths = observed.truths(task.faces)
            scored = task.subject.score(observed.probabilities, truths, info.attribute, info.axis)
        record = make_record(setup, task.faces, observed, task.subject, scored)
        if arguments.conditions and len(observed.found):
            if not isinstance(observer, ServedObserver):
                raise SettingsError("--conditions needs --path served")
            with Progress("conditions", len(CONDITIONS) * arguments.conditions) as progress:
                record["conditions"] = condition_figures(
                    observer, task, observed, arguments.conditions, progress.advance
                )
    return record


def observe(task: Task, observer: Observer, arguments: argparse.Namespace) -> Observed:
    """All faces of a task, with a progress bar."""
    path = getattr(arguments, "path", SERVED)
    evaluation = task.evaluation(observer, path, skip_bad=arguments.skip_bad)
    if arguments.fresh:
        evaluation.forget(task.faces)
    with Progress(f"{task.subject.name}, {path}", len(task.faces)) as progress:
        observed = evaluation.observe(task.faces, progress.reached)
    for message in observed.broken:
        say(f"left out: {message}")
    return observed


@contextmanager
def observing(task: Task, path: str) -> Iterator[Observer]:
    """What describes the faces of a task; on the crop path nothing else is loaded.

    Raises:
        WeightsError, DeviceError: a network cannot be loaded.
    """
    if path == CROP:
        threads = task.settings.cpu_threads or os.cpu_count() or 1
        yield CropObserver(
            {name: load_classifier(entry, device="cpu", threads=threads) for name, entry in task.described.items()}
        )
        return
    with ServedObserver(task.load(), task.settings, tuple(task.described)) as observer:
        yield observer
