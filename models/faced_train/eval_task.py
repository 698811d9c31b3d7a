"""What `faced eval emotion|gender|age` is to do: a network, the faces for it, and what scores its answers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from faced_models.bundle import Models
from faced_models.cache_folder import cache_folder
from faced_models.classifier_loader import model_info
from faced_models.manifest import Manifest, load_manifest
from faced_models.network_entry import NetworkEntry
from faced_proto.types import ModelInfo, ModelRole
from faced_proto.version import __version__
from faced_service.networks import load_networks, models_file_of
from faced_service.settings import Settings, SettingsError
from faced_train.datasets.opening import open_faces
from faced_train.errors import DataError
from faced_train.evaluation import Evaluation
from faced_train.faces import FaceSet
from faced_train.learnt_rows import unseen_rows
from faced_train.observers import Observer
from faced_train.split import Split, part_of
from faced_train.subjects.age import AgeSubject
from faced_train.subjects.emotion import EmotionSubject
from faced_train.subjects.gender import GenderSubject
from faced_train.subjects.subject import Subject

SERVED, CROP = "served", "crop"
HELD_OUT = "held-out"
_ALL = "all"


@dataclass(frozen=True)
class Task:
    """A network, the faces for it, and what scores its answers; `settings` and `manifest` are those of a server."""

    subject: Subject
    entry: NetworkEntry
    faces: FaceSet
    settings: Settings
    manifest: Manifest

    @property
    def info(self) -> ModelInfo:
        """The network as it answers."""
        return model_info(self._as_asked(self.entry))

    @property
    def described(self) -> dict[str, NetworkEntry]:
        """The networks that describe the faces, by attribute."""
        names = self.subject.networks(self.entry.attribute)
        return {name: self._as_asked(self.manifest.attributes[name]) for name in names}

    def load(self) -> Models:
        """All that a server would load.

        Raises:
            WeightsError, DeviceError: as `load_networks`.
        """
        # What is found beside faces is nobody's answer.
        return replace(load_networks(self.settings).models, beside=())

    def evaluation(self, observer: Observer, path: str, *, skip_bad: bool) -> Evaluation:
        """How its faces are observed."""
        finders = () if path == CROP else (self.manifest.detector, self.manifest.landmarks)
        entries = [*finders, *self.described.values()]
        folder = cache_folder("evaluations")
        if folder is None:
            raise SettingsError("no folder can be written to keep what is done: set FACED_CACHE_DIR")
        return Evaluation(
            observer=observer,
            widths={name: len(entry.axis) for name, entry in self.described.items() if entry.axis is not None},
            identity={"path": path, "version": __version__, "models": " ".join(entry.model_id for entry in entries)},
            keep=folder,
            skip_bad=skip_bad,
        )

    def _as_asked(self, entry: NetworkEntry) -> NetworkEntry:
        return entry.raw if self.settings.raw_probabilities else entry


def prepare(arguments: argparse.Namespace, *, raw: bool) -> Task:
    """Open the data set and choose the networks; nothing is loaded yet.

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
    manifest = load_manifest(models_file=models_file_of(settings))
    entry = _entry(manifest, arguments.model or subject.name)
    chosen = (entry.name,) if entry.alternative else ()
    manifest = manifest.choosing(chosen)
    entry = manifest.network(entry.name)
    settings = replace(settings, allowed_attributes=subject.networks(entry.attribute), networks=chosen)
    faces = open_faces(
        arguments.data, subject.name, votes=getattr(arguments, "votes", None), skip_bad=arguments.skip_bad
    )
    faces = _of_usage(faces, arguments.usage, entry)
    if entry.axis is None:
        raise SettingsError(f"network {entry.name!r} describes no attribute")
    faces = part_of(subject.select(faces, entry.axis), Split(arguments.split))
    if arguments.limit is not None:
        faces = _thinned(faces, arguments.limit)
    return Task(subject, entry, faces, settings, manifest)


def say(text: str) -> None:
    """A line for who evaluates, on standard error."""
    sys.stderr.write(f"faced eval: {text}\n")


def _subject(name: str) -> Subject:
    if name == "gender":
        return GenderSubject(Settings().gender_guard_threshold)
    return EmotionSubject() if name == "emotion" else AgeSubject()


def _entry(manifest: Manifest, name: str) -> NetworkEntry:
    try:
        entry = manifest.network(name)
    except KeyError as error:
        raise SettingsError(str(error.args[0])) from error
    if entry.role is not ModelRole.ATTRIBUTE:
        raise SettingsError(f"network {entry.name!r} is for {entry.role.value}, not for an attribute")
    return entry


def _of_usage(faces: FaceSet, usage: str, entry: NetworkEntry) -> FaceSet:
    """The rows of one part; "held-out" are those that the network was not trained on, all where there are no others.

    Raises:
        DataError: the data set has no such rows.
    """
    parts = {truth.part for truth in faces.truths}
    if usage == _ALL:
        return faces
    if usage == HELD_OUT:
        unseen = unseen_rows(faces, entry)
        if not unseen:
            say(f"warning: {entry.name} was trained on all of these rows, so it does better here than elsewhere")
            return faces
        return _kept(faces, unseen, f"that {entry.name} was trained on")
    if usage not in parts:
        known = ", ".join(sorted(parts - {""})) or "none"
        raise DataError(f"{faces.name}: no row has Usage {usage!r}; there are {known}")
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
