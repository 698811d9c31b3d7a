"""Diagrams as SVG; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

_SIDE = 340
_LEFT, _TOP = 46, 12


def reliability_diagram(bins: Sequence[Mapping[str, float | None]]) -> str:
    """Accuracy over confidence beside the diagonal; the fuller a bin, the darker its bar."""
    most = max((int(one["n"] or 0) for one in bins), default=0) or 1
    bottom = _TOP + _SIDE
    parts = [
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="var(--line)"/>',
        _line((_LEFT, bottom), (_LEFT + _SIDE, _TOP), "var(--dim)", dashed=True),
    ]
    for one in bins:
        low, high = float(one["low"] or 0.0), float(one["high"] or 0.0)
        accuracy, confidence, n = one["accuracy"], one["confidence"], int(one["n"] or 0)
        if accuracy is None or confidence is None:
            continue
        words = f"{n:,} faces: confidence {100 * confidence:.1f} %, accuracy {100 * accuracy:.1f} %"
        bar = (_LEFT + low * _SIDE + 1, bottom - accuracy * _SIDE, (high - low) * _SIDE - 2, accuracy * _SIDE)
        parts.append(_rect(bar, 0.25 + 0.6 * (n / most) ** 0.5, words))
        x, y = _LEFT + confidence * _SIDE, bottom - accuracy * _SIDE
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="var(--warm)"/>')
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(_text(_LEFT + tick * _SIDE, bottom + 18, f"{100 * tick:.0f} %", dim=True))
        parts.append(_text(_LEFT - 6, bottom - tick * _SIDE + 4, f"{100 * tick:.0f} %", "end", dim=True))
    parts.append(_text(_LEFT + _SIDE / 2, bottom + 40, "probability of the top label; height: how often it is right"))
    return _svg(_LEFT + _SIDE + 26, bottom + 48, parts)


def confusion_matrix(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """Per cent of each true label, true labels down."""
    cell, left, top = 52, 82, 30
    parts = [_text(left + cell * (i + 0.5), top - 8, label, dim=True) for i, label in enumerate(labels)]
    for row, (label, line) in enumerate(zip(labels, counts, strict=True)):
        total = sum(line)
        y = top + cell * row
        parts.append(_text(left - 8, y + cell / 2 + 4, label, "end"))
        for column, count in enumerate(line):
            share = count / total if total else 0.0
            x = left + cell * column
            bar = (x, y, cell - 2, cell - 2)
            parts.append(f'<rect x="{x}" y="{y}" width="{cell - 2}" height="{cell - 2}" fill="var(--line)"/>')
            parts.append(_rect(bar, 0.9 * share, f"{label} as {labels[column]}: {count:,}"))
            parts.append(_text(x + cell / 2 - 1, y + cell / 2 + 4, f"{100 * share:.0f}"))
    size = cell * len(labels)
    parts.append(_text(left + size / 2, top + size + 18, "predicted, % of a row", dim=True))
    return _svg(left + size + 4, top + size + 28, parts)


def bars(title: str, rows: Sequence[tuple[str, float, float, float]], target: float | None) -> str:
    """A share with its 95 % interval for each label; `target` is marked."""
    height, left, width = 24, 92, 420
    parts = [_text(left, 14, title, "start", dim=True)]
    for i, (label, value, low, high) in enumerate(rows):
        y = 24 + i * height
        parts.append(_text(left - 8, y + 16, label, "end"))
        parts.append(_rect((left, y + 4, width * value, height - 8), 0.8, f"{100 * value:.1f} %"))
        middle = y + height / 2
        parts.append(_line((left + width * low, middle), (left + width * high, middle), "var(--warm)", dashed=False))
        parts.append(_text(left + width + 8, y + 16, f"{100 * value:.1f} %", "start", dim=True))
    bottom = 24 + len(rows) * height
    if target is not None:
        x = left + width * target
        parts.append(_line((x, 20), (x, bottom), "var(--dim)", dashed=True))
    return _svg(left + width + 70, bottom + 6, parts)


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    return f"<svg {size}>{''.join(parts)}</svg>"


def _text(x: float, y: float, words: str, anchor: str = "middle", *, dim: bool = False) -> str:
    style = ' class="dim"' if dim else ""
    return f'<text{style} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _rect(bar: tuple[float, float, float, float], opacity: float, words: str) -> str:
    x, y, width, height = bar
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {place} fill="var(--accent)" opacity="{opacity:.2f}"><title>{escape(words)}</title></rect>'


def _line(start: tuple[float, float], end: tuple[float, float], colour: str, *, dashed: bool) -> str:
    (x1, y1), (x2, y2) = start, end
    dash = ' stroke-dasharray="4 4"' if dashed else ""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="2"{dash}/>'
