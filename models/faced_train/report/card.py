"""A network's card in Markdown, from its manifest entry and the recorded evaluations; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from faced_models.calibration import Calibration, OrdinalKernel
from faced_models.network_entry import NetworkEntry
from faced_models.oversample import Oversample
from faced_proto.types import Categories
from faced_train.report.findings import findings
from faced_train.report.wording import FIGURES, condition_name, told

Json = Mapping[str, object]

_VIEWS = {Oversample.NONE: "none", Oversample.FLIP: "the crop and its mirror image", Oversample.TEN_CROP: "ten crops"}

_MOST_NOTES = 3
_LEAST_IN_GROUP = 20
"""Groups of fewer faces are left out: their figures are chance."""


def card_of(entry: NetworkEntry, records: Sequence[Json]) -> str:
    """The page of one network; `records` are the evaluations of it, as `faced eval --json` prints them.

    Raises:
        WeightsError: the manifest tells nothing for a card.
    """
    if entry.card is None:
        raise entry.wrong("card is missing")
    return "\n".join(_lines(entry, records)).rstrip() + "\n"


def _lines(entry: NetworkEntry, records: Sequence[Json]) -> Iterator[str]:
    card = entry.card
    assert card is not None
    yield from (f"# {card.title}", "")
    yield from ("<!-- Written by `faced cards` from the manifest and the recorded evaluations. -->", "")
    yield from (card.method, "")
    yield from _table(("", ""), list(_facts(entry)))
    yield from ("## Training data", "", card.training_data, "", card.training_licence, "")
    yield from _bullets("Intended use", card.intended_use)
    yield from _bullets("Not for", card.not_for)
    told_by_figures = [sentence for record in records for sentence in findings(record)]
    yield from _bullets("Known failures", (*card.known_failures, *told_by_figures))
    if entry.input is not None:
        yield from ("## Preprocessing", "")
        yield from _table(("", ""), list(_preprocessing(entry)))
    if entry.axis is not None:
        yield from ("## Calibration", "", *_calibration(entry.calibration), "")
    yield from ("## Measured", "")
    if not records:
        yield from ("No evaluation is recorded.", "")
    for record in records:
        yield from _evaluation(entry, record)
    yield "[Responsible use](../../../RESPONSIBLE_USE.md) says where the law forbids what, and how to switch it off."


def _facts(entry: NetworkEntry) -> Iterator[tuple[str, str]]:
    card = entry.card
    assert card is not None
    yield "model", f"`{entry.model_id}`"
    yield "for", entry.attribute or entry.role.value
    yield "by", card.authors
    yield "origin", f"<{card.origin}>" if card.origin.startswith("http") else card.origin
    yield "licence of the weights", entry.licence
    if entry.source is not None:
        yield "carried by", f"{entry.source.package} {entry.source.version}, `{entry.source.path}`"
        yield "SHA-256 of the original", f"`{entry.source.sha256}`"
    if entry.trained is not None:
        yield "trained by", f"`faced train`, recipe {entry.trained.recipe}"
        yield "trained on", entry.trained.data
        yield "SHA-256 of the recipe", f"`{entry.trained.recipe_sha256}`"
    if entry.alternative:
        yield "served", f"only where it is chosen: `--networks {entry.name}`"
    yield "SHA-256 as served", f"`{entry.sha256}`"
    if entry.bytes is not None:
        yield "size", f"{entry.bytes / 1e6:.1f} MB"


def _preprocessing(entry: NetworkEntry) -> Iterator[tuple[str, str]]:
    given = entry.input
    assert given is not None
    if entry.crop is None:
        yield "window", f"{given.size} x {given.size} px"
    else:
        yield (
            "crop",
            f"{entry.crop.kind.value}, {entry.crop.size} x {entry.crop.size} px, padding {entry.crop.padding:g}",
        )
        yield "input", f"{given.size} x {given.size} px, {given.colour.value}, {given.layout.value}"
    mean, scale = (", ".join(f"{value:.6g}" for value in values) for values in (given.mean, given.scale))
    yield "normalisation", f"(value - mean) * scale of values 0 to 255; mean {mean}; scale {scale}"
    if entry.axis is None:
        return
    labels = entry.axis.labels
    shown = labels if isinstance(entry.axis, Categories) else (labels[0], labels[1], "...", labels[-1])
    yield "output", f"{len(labels)} classes: {', '.join(shown)}; activation {entry.activation.value}"
    views = {
        Oversample.NONE: "none",
        Oversample.FLIP: "the crop and its mirror image",
        Oversample.TEN_CROP: "ten crops",
    }
    yield "views averaged", views[entry.oversample]


def _calibration(calibration: Calibration | None) -> Iterator[str]:
    if calibration is None:
        yield "None: replies say `calibrated: false`, and 0.7 is not 7 in 10."
        return
    fitted = calibration.fitted_on
    yield f"Fitted on {fitted.faces:,} faces of {fitted.data} (SHA-256 of the split `{fitted.split}`)."
    if isinstance(calibration, OrdinalKernel):
        yield f"Temperature {calibration.temperature:g}, then a Gaussian over the bins:"
        yield ""
        rows = zip(calibration.knots, calibration.centre, calibration.width, strict=True)
        yield from _table(
            ("bin", "centre", "standard deviation"), [(f"{k:g}", f"{c:.2f}", f"{w:.2f}") for k, c, w in rows]
        )
    else:
        yield f"Temperature {calibration.temperature:g}."


def _evaluation(entry: NetworkEntry, record: Json) -> Iterator[str]:
    data = record["data"]
    assert isinstance(data, Mapping)
    yield from (f"### On {data['name']}", "")
    kind = "" if entry.axis is None else (", calibrated" if record.get("calibrated") else ", not calibrated")
    faces = record.get("faces", record["n"])
    yield f"{data['format']}, {faces:,} faces, {record['missed']:,} not found; {record['path']} path{kind}."
    yield f"`faced eval {record['attribute']} --data {data['name']} --path {record['path']}` prints this;"
    yield f"the SHA-256 of names and labels is `{data['sha256']}`."
    yield ""
    yield from _left_out([str(note) for note in _list(data.get("left_out"))])
    intervals = record.get("intervals_95")
    bounds = intervals if isinstance(intervals, Mapping) else {}
    figures = [name for name in FIGURES if name in record]
    overall = [(FIGURES[name], told(name, record[name]), _between(name, record[name], bounds)) for name in figures]
    yield from _table(("figure", "value", "95 % interval"), overall)
    groups = record.get("groups")
    for title, values in groups.items() if isinstance(groups, Mapping) else ():
        # Within one true class these say nothing.
        left_out = {"macro_f1", "accuracy_6"} if title == record["attribute"] else set()
        rows = [(str(name), {k: v for k, v in row.items() if k not in left_out}) for name, row in values.items()]
        yield from _grouped(f"by {title}", rows)
    conditions = record.get("conditions")
    if isinstance(conditions, Sequence):
        yield from _grouped("condition", [(condition_name(row), row) for row in conditions])
    yield from _confusion(record)


def _between(name: str, value: object, bounds: Mapping[object, object]) -> str:
    # How many faces there were is no estimate.
    pair = None if isinstance(value, int) else bounds.get(name)
    return f"{told(name, pair[0])} to {told(name, pair[1])}" if isinstance(pair, Sequence) else ""


def _grouped(title: str, rows: Sequence[tuple[str, Json]]) -> Iterator[str]:
    kept = [(name, row) for name, row in rows if _count(row) >= _LEAST_IN_GROUP]
    if not kept:
        return
    names = [name for name in ("n", "missed", *FIGURES) if any(name in row for _, row in kept)]
    yield from _table(
        (title, *(name.replace("_", " ") for name in names)),
        [(label, *(told(name, row.get(name)) for name in names)) for label, row in kept],
    )


def _confusion(record: Json) -> Iterator[str]:
    labels, counts = record.get("labels"), record.get("confusion")
    if not isinstance(labels, Sequence) or not isinstance(counts, Sequence):
        return
    rows = [
        (str(label), *(f"{100 * count / sum(row):.0f}" if sum(row) else "-" for count in row))
        for label, row in zip(labels, counts, strict=True)
    ]
    yield from _table(("true \\ predicted, %", *map(str, labels)), rows)


def _count(row: Json) -> int:
    n, missed = row.get("n"), row.get("missed")
    return (n if isinstance(n, int) else 0) + (missed if isinstance(missed, int) else 0)


def _left_out(notes: Sequence[str]) -> Iterator[str]:
    if notes:
        more = [f"and {len(notes) - _MOST_NOTES:,} more"] if len(notes) > _MOST_NOTES else []
        # Folders are those of the machine that it ran on.
        kept = [re.sub(r"(^|\s)/\S*/", r"\1", note) for note in notes[:_MOST_NOTES]]
        yield from ("Left out:", "", *(f"- {note}" for note in kept + more), "")


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _bullets(title: str, sentences: Sequence[str]) -> Iterator[str]:
    yield from (f"## {title}", "", *(f"- {sentence}" for sentence in sentences), "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""
