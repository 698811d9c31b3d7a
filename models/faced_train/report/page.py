"""A record as one HTML page that needs nothing else: figures, reliability diagram, confusion matrix, groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from faced_models.atomic_file import write_atomically
from faced_train.report.diagrams import bars, confusion_matrix, reliability_diagram
from faced_train.report.wording import FIGURES, condition_name, told

Json = Mapping[str, object]

_STYLE = """
:root { --ink: #1d2330; --dim: #667085; --line: #e3e7ee; --paper: #fff; --accent: #2563eb; --warm: #d9480f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --dim: #98a2b3; --line: #2c3442; --paper: #12161d; --accent: #7aa7ff; --warm: #ff9466; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
       max-width: 1080px; padding: 32px 24px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 40px 0 12px; }
p { color: var(--dim); margin: 0 0 8px; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--dim); font-weight: 600; } th:first-child, td:first-child { text-align: left; }
.wide { overflow-x: auto; } .pair { display: flex; flex-wrap: wrap; gap: 40px; align-items: flex-start; }
svg { max-width: 100%; height: auto; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .dim { fill: var(--dim); }
"""


def write_page(record: Json, path: Path) -> None:
    """Write the page; whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    write_atomically(path, _page(record).encode())


def _page(record: Json) -> str:
    data = record["data"]
    assert isinstance(data, Mapping)
    title = f"{str(record['attribute']).capitalize()}: {record['model']}"
    said = "calibrated" if record.get("calibrated") else "not calibrated"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(str(data['name']))} ({escape(str(data['format']))}), {record['path']} path, {said}. "
        f"{record['n']:,} found, {record['missed']:,} not found.</p>",
        f"<p>Data SHA-256 {data['sha256']}</p>",
        f'<h2>Figures</h2><div class="wide">{_figures(record)}</div>',
        f'<div class="pair">{_diagrams(record)}</div>',
    ]
    guard = record.get("guard")
    if isinstance(guard, Mapping):
        rows = [(f"{row['threshold']:g}", row) for row in guard["at"]]
        parts.append(_section(f"Age guard (threshold in force {guard['threshold']:g})", "threshold", rows))
    groups = record.get("groups")
    if isinstance(groups, Mapping):
        for name, values in groups.items():
            parts.append(_section(f"By {name}", str(name), list(values.items())))
            parts.append(_group_bars(record, values))
    conditions = record.get("conditions")
    if isinstance(conditions, Sequence):
        rows = [(condition_name(row), row) for row in conditions]
        parts.append(_section("By size on entry, blur and rotation", "condition", rows))
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    body = f"<head>{head}<style>{_STYLE}</style></head><body>{''.join(parts)}</body>"
    return f'<!doctype html><html lang="en">{body}</html>\n'


def _figures(record: Json) -> str:
    intervals = record.get("intervals_95")
    rows = []
    for name, words in FIGURES.items():
        if name in record:
            bounds = intervals.get(name) if isinstance(intervals, Mapping) else None
            between = "" if bounds is None else f"{told(name, bounds[0])} to {told(name, bounds[1])}"
            rows.append(f"<tr><td>{escape(words)}</td><td>{told(name, record[name])}</td><td>{between}</td></tr>")
    return f"<table><tr><th>figure</th><th>value</th><th>95 % interval</th></tr>{''.join(rows)}</table>"


def _section(title: str, column: str, rows: Sequence[tuple[str, Json]]) -> str:
    names = [name for name in ("n", "missed", *FIGURES) if any(name in row for _, row in rows)]
    head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in names)
    body = "".join(
        f"<tr><td>{escape(label)}</td>"
        + "".join(f"<td>{told(name, row[name]) if name in row else '-'}</td>" for name in names)
        + "</tr>"
        for label, row in rows
    )
    return (
        f'<h2>{escape(title)}</h2><div class="wide"><table><tr><th>{escape(column)}</th>{head}</tr>{body}</table></div>'
    )


def _diagrams(record: Json) -> str:
    found = []
    reliability = record.get("reliability")
    if isinstance(reliability, Sequence):
        found.append(f"<div><h2>Reliability</h2>{reliability_diagram(reliability)}</div>")
    if "confusion" in record:
        labels, counts = record["labels"], record["confusion"]
        assert isinstance(labels, Sequence)
        assert isinstance(counts, Sequence)
        found.append(f"<div><h2>Confusion</h2>{confusion_matrix(labels, counts)}</div>")
    return "".join(found)


def _group_bars(record: Json, values: Mapping[str, Json]) -> str:
    """The attribute's main figure by group, with its intervals."""
    name = next((name for name in ("coverage_90", "accuracy", "recall") if name in record), None)
    if name is None:
        return ""
    rows = []
    for label, row in values.items():
        intervals = row.get("intervals_95")
        value = row.get(name)
        if isinstance(value, float) and isinstance(intervals, Mapping):
            low, high = intervals[name]
            rows.append((label, value, low, high))
    target = 0.9 if name == "coverage_90" else None
    return bars(FIGURES[name], rows, target) if rows else ""
