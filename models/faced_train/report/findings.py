"""What a record shows to be wrong most often, in sentences; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from faced_train.report.wording import told

Json = Mapping[str, object]

_LEAST_IN_GROUP = 50
_MOST_CONFUSIONS = 3
_LEAST_CONFUSED = 0.1
_JUDGED_BY = {"accuracy": ("accuracy", False), "mae": ("mean absolute error", True), "recall": ("recall", False)}
"""What a subject is judged by, and whether more is worse."""


def findings(record: Json) -> Iterator[str]:
    """Groups that fare worst, and classes that are taken for others."""
    data = record.get("data")
    where = f" ({data['name']})" if isinstance(data, Mapping) else ""
    for sentence in (*_worst_groups(record), *_confusions(record)):
        yield f"{sentence}{where}."


def _worst_groups(record: Json) -> Iterator[str]:
    figure = next((name for name in _JUDGED_BY if name in record), None)
    groups = record.get("groups")
    if figure is None or not isinstance(groups, Mapping):
        return
    words, more_is_worse = _JUDGED_BY[figure]
    for title, values in groups.items():
        known = [
            (row[figure], name)
            for name, row in values.items()
            if isinstance(row.get(figure), int | float) and row["n"] >= _LEAST_IN_GROUP
        ]
        if len(known) < 2:
            continue
        (low, low_name), (high, high_name) = min(known), max(known)
        worst, worst_name, best, best_name = (
            (high, high_name, low, low_name) if more_is_worse else (low, low_name, high, high_name)
        )
        unit = " years" if figure == "mae" else ""
        yield (
            f"By {title}, {words} is worst for {worst_name}, {told(figure, worst)}{unit}, "
            f"and best for {best_name}, {told(figure, best)}{unit}"
        )


def _confusions(record: Json) -> Iterator[str]:
    labels, counts = record.get("labels"), record.get("confusion")
    if not isinstance(labels, Sequence) or not isinstance(counts, Sequence) or "accuracy" not in record:
        return
    shares = [
        (count / sum(row), labels[i], labels[j])
        for i, row in enumerate(counts)
        for j, count in enumerate(row)
        if i != j and sum(row) >= _LEAST_IN_GROUP
    ]
    for share, true, other in sorted(shares, reverse=True)[:_MOST_CONFUSIONS]:
        if share >= _LEAST_CONFUSED:
            yield f"{100 * share:.0f} % of {true} is called {other}"
