"""An evaluation as one JSON object: what `--json` prints, what the cards and the recorded tables hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from faced_train.evaluation import Observed
from faced_train.faces import FaceSet, Truth
from faced_train.scores.reliability import least_calibration_error, reliability
from faced_train.scores.scorer import RESAMPLES, Figures, Rows, Scorer, intervals_95
from faced_train.subjects.subject import Scored, Subject

_COUNTS = frozenset({"n_votes", "n_16"})

Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class Setup:
    """What was evaluated, and how."""

    attribute: str
    model: str
    calibrated: bool
    path: str
    split: str


def make_record(setup: Setup, faces: FaceSet, observed: Observed, subject: Subject, scored: Scored | None) -> Record:
    """Figures, their 95 % intervals, groups, confusion and reliability; `scored` is None where no face was found.

    Shares are 0 to 1, ages in years.
    """
    record: Record = {
        **asdict(setup),
        "data": {"name": faces.name, "format": faces.format, "sha256": faces.digest, "left_out": list(faces.left_out)},
        "n": len(observed.found),
        "missed": observed.missed,
        "broken": list(observed.broken),
    }
    if scored is None:
        return record
    rows = np.arange(len(observed.found))
    record |= figures(scored.scorer, rows)
    sure = scored.reliability()
    if sure is not None:
        record["ece_perfect"] = _rounded(least_calibration_error(sure.confidence))
    details = scored.details()
    record |= {name: _plain(value) for name, value in details.items()}
    record["intervals_95"] = _plain(_bounds(scored.scorer, rows))
    record["groups"] = group_figures(subject, scored.scorer, faces.truths, observed.found)
    confusion = scored.confusion()
    record["labels"], record["confusion"] = list(confusion.labels), confusion.counts.tolist()
    if sure is not None:
        record["reliability"] = [_plain(asdict(one)) for one in reliability(sure.confidence, sure.right)]
    return record


def figures(scorer: Scorer, rows: Rows) -> dict[str, object]:
    """Rounded to six digits; counts are whole."""
    return _rounded_all(scorer.score(rows))


def group_figures(subject: Subject, scorer: Scorer, truths: Sequence[Truth], found: Rows) -> dict[str, object]:
    """By grouping, then by value: how many were found and missed, figures and their intervals."""
    groups: dict[str, object] = {}
    for name, values in subject.groups(truths).items():
        all_values = np.array(values)
        here = all_values[found]
        groups[name] = {
            str(value): {
                "n": int((here == value).sum()),
                "missed": int((all_values == value).sum() - (here == value).sum()),
                **_group(scorer, np.flatnonzero(here == value)),
            }
            for value in sorted({value for value in values if value})
        }
    return groups


def _group(scorer: Scorer, rows: Rows) -> dict[str, object]:
    if not len(rows):
        return {}
    return figures(scorer, rows) | {"intervals_95": _plain(_bounds(scorer, rows, resamples=200))}


def _bounds(scorer: Scorer, rows: Rows, resamples: int = RESAMPLES) -> dict[str, tuple[float, float]]:
    """Of all but counts."""
    bounds = intervals_95(scorer, rows, resamples=resamples)
    return {name: bound for name, bound in bounds.items() if name not in _COUNTS}


def _rounded_all(values: Figures) -> dict[str, object]:
    return {name: int(value) if name in _COUNTS else _rounded(value) for name, value in values.items()}


def _plain(value: object) -> object:
    """As JSON has it: floats rounded, tuples as lists."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return _rounded(value)
    return value


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)
