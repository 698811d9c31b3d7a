"""A record as tables on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from faced_train.report.wording import FIGURES, condition_name, told

Json = Mapping[str, object]


def print_tables(record: Json) -> None:
    """Figures with their intervals, then every grouping, conditions and the confusion matrix, on standard output."""
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    data = record["data"]
    name = data["name"] if isinstance(data, Mapping) else ""
    console.print(f"[bold]{record['model']}[/]  on {name}, {record['path']} path, {_found(record)}")
    if "calibrated" in record:
        console.print("calibrated" if record["calibrated"] else "not calibrated")
    console.print(_figures(record))
    guard = record.get("guard")
    if isinstance(guard, Mapping):
        console.print(_rows("guard threshold", [(f"{row['threshold']:g}", row) for row in guard["at"]]))
    groups = record.get("groups")
    if isinstance(groups, Mapping):
        for group, values in groups.items():
            console.print(_rows(f"by {group}", list(values.items())))
    conditions = record.get("conditions")
    if isinstance(conditions, Sequence):
        console.print(_rows("condition", [(condition_name(row), row) for row in conditions]))
    if "confusion" in record:
        console.print(_confusion(record))


def print_comparison(report: Json) -> None:
    """What a calibration was, and figures with and without it."""
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    console.print(f"[bold]{report['model']}[/]  oversample {report['oversample']}")
    console.print(f"calibration = {report['calibration']}", markup=False)
    compared = report["compared"]
    if isinstance(compared, Mapping):
        console.print(_rows("faces", list(compared.items())))


def print_crops(record: Json) -> None:
    """Figures of every way to cut faces out."""
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    console.print(f"[bold]{record['model']}[/]  {_found(record)}; in force: {record['chosen']}")
    rows = record["crops"]
    if isinstance(rows, Sequence):
        console.print(_rows("crop", [(str(row["crop"]), row) for row in rows]))


def _found(record: Json) -> str:
    if "faces" in record:
        return f"{record['faces']} faces in {record['n']} pictures"
    return f"{record['n']} faces, {record['missed']} not found"


def _figures(record: Json) -> Table:
    table = Table("figure", "value", "95 % interval", box=None, pad_edge=False, header_style="bold")
    intervals = record.get("intervals_95")
    for name, words in FIGURES.items():
        if name in record:
            bounds = intervals.get(name) if isinstance(intervals, Mapping) else None
            between = "" if bounds is None else f"{told(name, bounds[0])} to {told(name, bounds[1])}"
            table.add_row(words, told(name, record[name]), between)
    return table


def _rows(title: str, rows: Sequence[tuple[str, Json]]) -> Table:
    """A row each, a column for every figure that one of them has."""
    names = [name for name in ("n", "missed", *FIGURES) if any(name in row for _, row in rows)]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(title)
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for label, row in rows:
        table.add_row(label, *(told(name, row[name]) if name in row else "-" for name in names))
    return table


def _confusion(record: Json) -> Table:
    labels, counts = record["labels"], record["confusion"]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("true \\ predicted, %")
    if isinstance(labels, Sequence) and isinstance(counts, Sequence):
        for label in labels:
            table.add_column(str(label), justify="right")
        for label, row in zip(labels, counts, strict=True):
            total = sum(row)
            table.add_row(str(label), *(f"{100 * count / total:.0f}" if total else "-" for count in row))
    return table
