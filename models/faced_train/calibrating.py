"""A network's calibration: observed on labelled faces, fitted on one part, compared on the other, written down."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faced_models.atomic_file import write_atomically
from faced_models.calibration import Calibration, FittedOn, OrdinalKernel, Temperature
from faced_models.errors import WeightsError
from faced_models.manifest import MANIFEST, load_manifest
from faced_models.network_entry import NetworkEntry
from faced_models.oversample import Oversample, crop_size
from faced_proto.types import Categories, IntegerBins
from faced_service.settings import SettingsError
from faced_train.datasets.ferplus_votes import vote_shares
from faced_train.errors import DataError
from faced_train.eval_faces import observe, observing
from faced_train.eval_task import SERVED, Task, prepare
from faced_train.evaluation import Observed
from faced_train.faces import Truth
from faced_train.fit.ordinal_kernel import fit_ordinal_kernel
from faced_train.fit.temperature import fit_temperature, fit_temperature_to_votes
from faced_train.learnt_rows import learnt_rows
from faced_train.manifest_text import with_fields
from faced_train.record import Record, figures
from faced_train.split import Split, split_of

_LEAST_FACES = 50


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be fitted, and where it is to be written: `overlay`, the package's manifest, or nowhere.

    None for `kind` and `oversample`: what suits the network's axis, and what its entry says. `to_votes`: to FER+'s
    votes in place of the labels.
    """

    overlay: Path | None
    in_repo: bool
    kind: str | None
    oversample: Oversample | None
    to_votes: bool = False


def calibrate(arguments: argparse.Namespace, wish: Wish) -> Record:
    """Fits on the faces of `arguments.split` (fit: two thirds; all) and compares on the others, then writes.

    Raises:
        DataError, SettingsError, WeightsError, DeviceError, ModelError: what is wrong; nothing is written.
        OSError: the file cannot be written.
    """
    chosen = Split(arguments.split)
    # Everything is observed; who is fitted on is told apart afterwards.
    arguments = argparse.Namespace(**{**vars(arguments), "split": Split.ALL.value, "path": SERVED})
    target = MANIFEST if wish.in_repo else wish.overlay
    before = target.read_text("utf-8") if target is not None and target.exists() else ""
    own = "" if wish.in_repo else before
    with _with_oversample(own, arguments, wish) as models_file:
        arguments.models_file = models_file
        task = prepare(arguments, raw=True)
        _refuse_known_rows(task)
        with observing(task, SERVED) as observer:
            observed = observe(task, observer, arguments)
    answers = _answers(task, observed)
    fitting = answers.where(chosen)
    if wish.to_votes:
        fitting = np.array([i for i in fitting if _shares(task, answers.truths[i]) is not None], np.intp)
    if len(fitting) < _LEAST_FACES:
        raise DataError(f"{task.faces.name}: {len(fitting)} faces are too few to fit on; at least {_LEAST_FACES}")
    faces = task.faces.take([int(i) for i in observed.found[fitting]])
    fitted_on = FittedOn(_described(task, chosen, wish), len(fitting), faces.digest)
    calibration = _fitted(answers, fitting, fitted_on, wish)
    entry = replace(task.entry, calibration=calibration)
    if target is not None:
        _write(target, before, entry, wish)
    return _report(task, answers, chosen, entry, target)


@dataclass(frozen=True)
class _Answers:
    """What the network said of the faces that were found: `probabilities` [n, k]."""

    task: Task
    observed: Observed
    probabilities: NDArray[np.float64]
    truths: tuple[Truth, ...]

    def where(self, split: Split) -> NDArray[np.intp]:
        """Rows of a split."""
        return np.array(
            [i for i, truth in enumerate(self.truths) if split in (Split.ALL, split_of(truth.key))], np.intp
        )

    def figures(self, rows: NDArray[np.intp], calibration: Calibration | None) -> dict[str, object]:
        """With a calibration, or without."""
        axis, attribute = self.task.entry.axis, self.task.entry.attribute
        assert axis is not None
        mine = self.probabilities[rows]
        others = {name: values[rows] for name, values in self.observed.probabilities.items()}
        changed = others | {attribute: mine if calibration is None else calibration.apply(mine)}
        truths = [self.truths[i] for i in rows]
        return figures(self.task.subject.score(changed, truths, attribute, axis).scorer, np.arange(len(rows)))


def _answers(task: Task, observed: Observed) -> _Answers:
    return _Answers(task, observed, observed.probabilities[task.entry.attribute], tuple(observed.truths(task.faces)))


def _fitted(answers: _Answers, rows: NDArray[np.intp], fitted_on: FittedOn, wish: Wish) -> Calibration:
    axis, kind = answers.task.entry.axis, wish.kind
    truths = [answers.truths[i] for i in rows]
    probabilities = answers.probabilities[rows]
    if isinstance(axis, IntegerBins):
        ages = [truth.age for truth in truths]
        if None in ages:
            raise DataError(f"{answers.task.faces.name}: an age calibration needs ages in years, not groups")
        if kind != "temperature":
            return fit_ordinal_kernel(probabilities, np.array(ages, np.float64), axis, fitted_on)
    if kind == "ordinal_kernel":
        raise SettingsError(f"network {answers.task.entry.name!r} has no order for an ordinal_kernel: use temperature")
    assert axis is not None
    if wish.to_votes:
        shares = [_shares(answers.task, truth) for truth in truths]
        return Temperature(
            fit_temperature_to_votes(probabilities, np.stack([one for one in shares if one is not None])), fitted_on
        )
    labels = [_label(answers.task, truth) for truth in truths]
    return Temperature(fit_temperature(probabilities, np.array([axis.labels.index(one) for one in labels])), fitted_on)


def _label(task: Task, truth: Truth) -> str:
    if isinstance(task.entry.axis, IntegerBins):
        assert truth.age is not None
        return task.entry.axis.labels[min(truth.age, len(task.entry.axis) - 1)]
    label = truth.emotion if task.subject.name == "emotion" else truth.gender
    assert label is not None
    return label


def _shares(task: Task, truth: Truth) -> NDArray[np.float64] | None:
    axis = task.entry.axis
    if not isinstance(axis, Categories) or truth.votes is None:
        return None
    return vote_shares(truth.votes, axis.labels)


def _refuse_known_rows(task: Task) -> None:
    known = sum(learnt_rows(task.faces, task.entry))
    if known:
        raise DataError(
            f"{task.faces.name}: {task.entry.name} was trained on {known} of {len(task.faces)} rows, and a network is "
            "never calibrated on what it was trained on"
        )


def _described(task: Task, split: Split, wish: Wish) -> str:
    parts = sorted({truth.part for truth in task.faces.truths if truth.part})
    share = "two thirds" if split is Split.FIT else "all faces"
    what = "FER+'s votes on " if wish.to_votes else ""
    return f"{what}{' '.join([task.faces.collection, *parts])}, {share}"


@contextmanager
def _with_oversample(text: str, arguments: argparse.Namespace, wish: Wish) -> Iterator[str | None]:
    """A file of networks, as the target has them but with the oversampling that is wished for; None: the package's."""
    if wish.oversample is not None:
        text = _oversampled(text, _entry(arguments, wish), wish.oversample)
    if not text:
        yield None
        return
    # Beside the target: its files are named relative to it.
    folder = None if wish.overlay is None or not wish.overlay.exists() else wish.overlay.parent
    with tempfile.NamedTemporaryFile("w", suffix=".toml", dir=folder, encoding="utf-8") as file:
        file.write(text)
        file.flush()
        yield file.name


def _entry(arguments: argparse.Namespace, wish: Wish) -> NetworkEntry:
    there = wish.overlay if wish.overlay is not None and wish.overlay.exists() else None
    try:
        return load_manifest(models_file=there).network(arguments.model or arguments.subject)
    except KeyError as error:
        raise SettingsError(str(error.args[0])) from error


def _oversampled(text: str, entry: NetworkEntry, oversample: Oversample) -> str:
    if entry.crop is None or entry.input is None:
        raise SettingsError(f"network {entry.name!r} describes no attribute")
    size = crop_size(oversample, entry.input.size)
    crop = f'{{ kind = "{entry.crop.kind.value}", size = {size}, padding = {entry.crop.padding!r} }}'
    fields = {"oversample": f'"{oversample.value}"'} | ({} if size == entry.crop.size else {"crop": crop})
    return with_fields(text, entry.name, fields)


def _write(target: Path, before: str, entry: NetworkEntry, wish: Wish) -> None:
    """As a whole or not at all, and only what can be read again as it was meant."""
    assert entry.calibration is not None
    text = before if wish.oversample is None else _oversampled(before, entry, wish.oversample)
    text = with_fields(text, entry.name, {"calibration": _toml(entry.calibration)})
    folder = target.parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".toml", dir=folder, encoding="utf-8") as file:
        file.write(text)
        file.flush()
        made = Path(file.name)
        read = load_manifest(made) if wish.in_repo else load_manifest(models_file=made)
    if read.network(entry.name).calibration != entry.calibration:
        raise WeightsError(f"{target}: the calibration of {entry.name!r} cannot be read again as it was fitted")
    write_atomically(target, text.encode())
    sys.stderr.write(f"faced calibrate: {target}: network {entry.name!r} is now {entry.model_id}\n")


def _toml(calibration: Calibration) -> str:
    fitted = calibration.fitted_on
    values: dict[str, object] = {"temperature": calibration.temperature}
    if isinstance(calibration, OrdinalKernel):
        for name in ("knots", "centre", "width"):
            values[name] = list(getattr(calibration, name))
    kind = "ordinal_kernel" if isinstance(calibration, OrdinalKernel) else "temperature"
    numbers = ", ".join(f"{name} = {value!r}" for name, value in values.items())
    provenance = f'data = "{fitted.data}", faces = {fitted.faces}, split = "{fitted.split}"'
    return f'{{ kind = "{kind}", {numbers}, {provenance} }}'


def _report(task: Task, answers: _Answers, chosen: Split, entry: NetworkEntry, target: Path | None) -> Record:
    calibration = entry.calibration
    assert calibration is not None
    parts: dict[str, NDArray[np.intp]] = {chosen.value: answers.where(chosen)}
    if chosen is not Split.ALL:
        other = Split.CHECK if chosen is Split.FIT else Split.FIT
        parts[other.value] = answers.where(other)
    compared: dict[str, Mapping[str, object]] = {}
    for name, rows in parts.items():
        if len(rows):
            compared[f"{name}, raw"] = {"n": len(rows), **answers.figures(rows, None)}
            compared[f"{name}, calibrated"] = {"n": len(rows), **answers.figures(rows, calibration)}
    return {
        "attribute": task.subject.name,
        "model": entry.model_id,
        "written": None if target is None else str(target),
        "calibration": _toml(calibration),
        "oversample": entry.oversample.value,
        "missed": answers.observed.missed,
        "compared": compared,
    }
