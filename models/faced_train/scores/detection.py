"""Boxes against labelled faces: average precision at IoU 0.5, precision and recall above a score of 0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from faced_models.network_entry import DetectorWindow
from faced_proto.types import Box, Detection
from faced_service.bench.imglab import Label, LabelledPicture
from faced_service.bench.scoring import Judged, accuracy, judge
from faced_train.scores.scorer import Figures, Rows

SIZES = ((0, 20), (20, 40), (40, 80), (80, 160), (160, 320), (320, 1_000_000))
"""Larger side of a labelled face in pixels, from and below."""

_THRESHOLD = 0.0


def names_that_count(windows: Sequence[DetectorWindow], pictures: Sequence[LabelledPicture]) -> frozenset[str] | None:
    """What the detector calls what it finds; None where it has no names, or the data has none to compare them with."""
    names = frozenset(window.label for window in windows)
    told = any(label.name for picture in pictures for label in picture.labels if not label.ignored)
    return names if told and any(names) else None


def left_out_by_name(pictures: Sequence[LabelledPicture], names: Collection[str] | None) -> list[str]:
    """A note for each label that is none of `names`, with the number of its boxes; None: all count."""
    if names is None:
        return []
    found = Counter(label.name for picture in pictures for label in picture.labels if not label.ignored)
    known = ", ".join(sorted(names))
    return [
        f"{count} {'box' if count == 1 else 'boxes'} {f'labelled {name!r}' if name else 'without a label'}: "
        f"the detector knows {known}"
        for name, count in sorted(found.items())
        if name not in names
    ]


class DetectionScores:
    """Over pictures: their detections (scores above -1) and labels. With `sizes`, other labels neither count nor harm.

    A detection that meets no label counts as wrong whatever the size that is asked for, if it is itself of that size.
    With `names` a detection meets labels of its own name alone, and labels of other names do not count; None: names
    make no difference. What is ignored is so under any name, as where a detector is trained.
    """

    def __init__(
        self,
        pictures: Sequence[tuple[Sequence[Detection], Sequence[Label]]],
        sizes: tuple[int, int] = (0, SIZES[-1][1]),
        names: Collection[str] | None = None,
    ) -> None:
        self._judged = [_by_name(detections, labels, sizes, names) for detections, labels in pictures]

    @property
    def faces(self) -> int:
        """Labelled faces that count."""
        return sum(one.faces for one in self._judged)

    @property
    def found(self) -> int:
        """Of these, those found with a score above 0."""
        return sum(
            hit and score > _THRESHOLD for one in self._judged for hit, score in zip(one.hits, one.scores, strict=True)
        )

    def score(self, rows: Rows) -> Figures:
        """See `Scorer`; `rows` are pictures."""
        chosen = [self._judged[i] for i in rows]
        if not any(one.faces for one in chosen):
            return {}
        figures = accuracy(chosen, _THRESHOLD)
        return {"ap50": figures.ap50, "precision": figures.precision, "recall": figures.recall}


def _by_name(
    detections: Sequence[Detection], labels: Sequence[Label], sizes: tuple[int, int], names: Collection[str] | None
) -> Judged:
    if names is None:
        return _judged(detections, labels, sizes)
    each = [
        _judged(
            [one for one in detections if one.label == name],
            [label for label in labels if label.ignored or label.name == name],
            sizes,
        )
        for name in sorted(names)
    ]
    return Judged(
        tuple(score for one in each for score in one.scores),
        tuple(hit for one in each for hit in one.hits),
        sum(one.faces for one in each),
    )


def _judged(detections: Sequence[Detection], labels: Sequence[Label], sizes: tuple[int, int]) -> Judged:
    low, high = sizes
    # Labels of another size become regions where a detection is neither right nor wrong.
    sized = [label if low <= _side(label.box) < high else Label(label.box, True) for label in labels]
    judged = judge(detections, sized, 0)
    if sizes == (0, SIZES[-1][1]):
        return judged
    # `judge` leaves detections out; those of another size that met nothing are left out here.
    ordered = sorted(detections, key=lambda detection: -detection.score)
    wrong_size = {one.score for one in ordered if not low <= _side(one.box) < high}
    kept = [
        (score, hit) for score, hit in zip(judged.scores, judged.hits, strict=True) if hit or score not in wrong_size
    ]
    return Judged(tuple(score for score, _ in kept), tuple(hit for _, hit in kept), judged.faces)


def _side(box: Box) -> float:
    return max(box.width, box.height)
