"""`faced eval emotion|gender|age`: labelled faces to a record."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from faced_models.bundle import Models
from faced_models.cache_folder import cache_folder
from faced_models.manifest import load_manifest
from faced_models.network_entry import NetworkEntry
from faced_proto.types import ModelRole
from faced_proto.version import __version__
from faced_service.networks import load_networks
from faced_service.settings import Settings, SettingsError
from faced_train.conditions import CONDITIONS, condition_figures
from faced_train.crop_choice import compare_crops
from faced_train.datasets.opening import open_faces
from faced_train.errors import DataError
from faced_train.evaluation import Evaluation, Observed
from faced_train.faces import FaceSet
from faced_train.observers import CropObserver, Observer, ServedObserver
from faced_train.progress import Progress
from faced_train.record import Record, Setup, make_record
from faced_train.split import Split, part_of
from faced_train.subjects.age import AgeSubject
from faced_train.subjects.emotion import EmotionSubject
from faced_train.subjects.gender import GenderSubject
from faced_train.subjects.subject import Subject

SERVED, CROP = "served", "crop"
_HELD_OUT, _ALL = "held-out", "all"


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
            default=_HELD_OUT,
            metavar="NAME",
            help="rows of this Usage (Training, PublicTest, PrivateTest); held-out: those that the network was not "
            "trained on, if the data set has any; all (default: held-out)",
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


@dataclass(frozen=True)
class Task:
    """A network, the faces for it, and what scores its answers."""

    subject: Subject
    entry: NetworkEntry
    faces: FaceSet
    settings: Settings
    models: Models

    def evaluation(self, observer: Observer, path: str, *, skip_bad: bool) -> Evaluation:
        """How its faces are observed."""
        classifiers = self.models.classifiers
        asked = self.subject.networks(self.entry.attribute)
        infos = [self.models.detector.info, self.models.aligner.info, *(classifiers[name].info for name in asked)]
        axes = {name: classifiers[name].info.axis for name in asked}
        folder = cache_folder("evaluations")
        if folder is None:
            raise SettingsError("no folder can be written to keep what is done: set FACED_CACHE_DIR")
        return Evaluation(
            observer=observer,
            widths={name: len(axis) for name, axis in axes.items() if axis is not None},
            identity={"path": path, "version": __version__, "models": " ".join(info.model for info in infos)},
            keep=folder,
            skip_bad=skip_bad,
        )


def prepare(arguments: argparse.Namespace, *, raw: bool) -> Task:
    """Open the data set and load the networks.

    Raises:
        DataError, SettingsError, WeightsError, DeviceError: what is wrong with either.
    """
    settings = Settings(
        # Withholding is not applied; what the guard would hide is counted.
        gender_without_age_guard=True,
        cpu_threads=arguments.threads,
        models_file=arguments.models_file,
        raw_probabilities=raw,
    )
    subject = _subject(arguments.subject)
    entry = _entry(settings, arguments.model or subject.name)
    settings = replace(settings, allowed_attributes=subject.networks(entry.attribute))
    faces = open_faces(
        arguments.data, subject.name, votes=getattr(arguments, "votes", None), skip_bad=arguments.skip_bad
    )
    if arguments.subject == "emotion":
        faces = _of_usage(faces, arguments.usage, entry)
    if entry.axis is None:
        raise SettingsError(f"network {entry.name!r} describes no attribute")
    faces = part_of(subject.select(faces, entry.axis), Split(arguments.split))
    if arguments.limit is not None:
        faces = _thinned(faces, arguments.limit)
    return Task(subject, entry, faces, settings, load_networks(settings).models)


def evaluate(arguments: argparse.Namespace) -> Record:
    """Everything about one data set.

    Raises:
        DataError, SettingsError, WeightsError, DeviceError, ModelError: what is wrong.
    """
    task = prepare(arguments, raw=arguments.raw or arguments.crops)
    for note in task.faces.left_out:
        _say(f"left out: {note}")
    if arguments.crops:
        return compare_crops(task)
    info = task.models.classifiers[task.entry.attribute].info
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
        _say(f"left out: {message}")
    return observed


@contextmanager
def observing(task: Task, path: str) -> Iterator[Observer]:
    """What describes the faces of a task."""
    asked = task.subject.networks(task.entry.attribute)
    if path == CROP:
        yield CropObserver(task.models, asked)
        return
    with ServedObserver(task.models, task.settings, asked) as observer:
        yield observer


def _subject(name: str) -> Subject:
    if name == "gender":
        return GenderSubject(Settings().gender_guard_threshold)
    return EmotionSubject() if name == "emotion" else AgeSubject()


def _entry(settings: Settings, name: str) -> NetworkEntry:
    manifest = load_manifest(models_file=None if settings.models_file is None else Path(settings.models_file))
    try:
        entry = manifest.network(name)
    except KeyError as error:
        raise SettingsError(str(error.args[0])) from error
    if entry.role is not ModelRole.ATTRIBUTE:
        raise SettingsError(f"network {entry.name!r} is for {entry.role.value}, not for an attribute")
    return entry


def _of_usage(faces: FaceSet, usage: str, entry: NetworkEntry) -> FaceSet:
    """The rows of one Usage; "held-out" are those that the network was not trained on, all where there are no others.

    Raises:
        DataError: the data set has no such rows.
    """
    parts = {truth.part for truth in faces.truths}
    if usage == _ALL:
        return faces
    if usage == _HELD_OUT:
        known = [f"FER2013 {part}" in entry.trained_on for part in (truth.part for truth in faces.truths)]
        if all(known):
            _say(f"warning: {entry.name} was trained on all of these rows, so it does better here than elsewhere")
            return faces
        return _kept(faces, [i for i, was in enumerate(known) if not was], f"that {entry.name} was trained on")
    if usage not in parts:
        raise DataError(f"{faces.name}: no row has Usage {usage!r}; there are {', '.join(sorted(parts))}")
    return _kept(faces, [i for i, truth in enumerate(faces.truths) if truth.part == usage], "of another Usage")


def _kept(faces: FaceSet, kept: Sequence[int], what: str) -> FaceSet:
    return faces if len(kept) == len(faces) else faces.take(kept, f"{len(faces) - len(kept)} rows {what}")


def _thinned(faces: FaceSet, limit: int) -> FaceSet:
    if limit < 1:
        raise SettingsError(f"--limit is {limit}, must be at least 1")
    if limit >= len(faces):
        return faces
    kept = [i * len(faces) // limit for i in range(limit)]
    return faces.take(kept, f"{len(faces) - limit} faces by --limit")


def _say(text: str) -> None:
    sys.stderr.write(f"faced eval: {text}\n")
