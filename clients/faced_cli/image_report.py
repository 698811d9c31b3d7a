"""An analysis for people: a few lines of terminal text for each picture."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from faced_cli.panel import percent_text, withheld_text, years_text
from faced_cli.terminal import visible
from faced_proto.types import (
    AttributeFailure,
    Categories,
    Distribution,
    FaceAnalysis,
    FrameAnalysis,
    IntegerBins,
    Withheld,
)

_BARS = 3
_BAR_WIDTH = 24
_WIDEST = 20
_STYLES = {"emotion": "yellow", "age_group": "bright_blue", "gender": "green"}


def report(source: str, analysis: FrameAnalysis, console: Console) -> Group:
    """A headline, and a block for each face; `console` says which characters can be shown."""
    unicode = console.encoding.lower().startswith("utf")
    faces = [_face(number, face, unicode) for number, face in enumerate(analysis.faces, 1)]
    return Group(_headline(source, analysis, unicode), *faces)


def _headline(source: str, analysis: FrameAnalysis, unicode: bool) -> Text:
    count = len(analysis.faces)
    line = Text(visible(source), style="bold", overflow="fold")
    line.append(f"  {count or 'no'} face{'' if count == 1 else 's'}", style="bold cyan" if count else "bold yellow")
    cross, dot = ("\N{MULTIPLICATION SIGN}", " \N{MIDDLE DOT} ") if unicode else ("x", ", ")
    facts = (
        f"{analysis.width}{cross}{analysis.height} px",
        f"scale {analysis.applied_scale:g}",
        f"faces from {analysis.min_detectable_px:.0f} px",
        f"{analysis.timing.total_us / 1000:.0f} ms",
        visible(analysis.engine.device),
    )
    line.append("\n  " + dot.join(facts), style="dim")
    return line


def _face(number: int, face: FaceAnalysis, unicode: bool) -> RenderableType:
    box = face.detection.box
    head = Text(f"  {number:>2}  ", style="bold cyan")
    if face.detection.label:
        head.append(f"{visible(face.detection.label)}, ")
    head.append(f"{box.width:.0f} px wide at ({box.left:.0f}, {box.top:.0f}), score {face.detection.score:.2f}")
    outcomes = {outcome.attribute: outcome for outcome in face.attributes}
    labels = [label for value in outcomes.values() if isinstance(value, Distribution) for label in _labels(value)]
    table = Table.grid(padding=(0, 1))
    table.add_column(width=5)
    table.add_column(width=_width(outcomes, 10), style="dim", no_wrap=True)
    table.add_column(width=_width(labels, 9), no_wrap=True)
    table.add_column(width=_BAR_WIDTH, no_wrap=True)
    table.add_column(justify="right", width=6, no_wrap=True)
    for attribute, outcome in outcomes.items():
        name = Text(visible(attribute.replace("_", " ")))
        match outcome:
            case Withheld():
                table.add_row("", name, Text("withheld", style="italic"), Text(f"({withheld_text(outcome)})"))
            case AttributeFailure():
                table.add_row("", name, Text("failed", style="red"), Text(outcome.reason.value.replace("_", " ")))
            case Distribution(axis=IntegerBins()):
                dash = years_text(outcome) if unicode else years_text(outcome).replace("\N{EN DASH}", "-")
                years, _, interval = dash.partition(" ")
                table.add_row("", name, Text(years, style="bold"), Text(f"90 % {interval}", style="dim"))
            case Distribution():
                _add_bars(table, name, outcome, unicode)
    return Group(head, table) if outcomes else head


def _labels(distribution: Distribution) -> tuple[str, ...]:
    return distribution.axis.labels if isinstance(distribution.axis, Categories) else ()


def _width(names: Iterable[str], least: int) -> int:
    """Columns for the longest name of a network that was plugged in, within reason."""
    return min(max([least, *map(len, names)]), _WIDEST)


def _add_bars(table: Table, name: Text, distribution: Distribution, unicode: bool) -> None:
    style = _STYLES.get(distribution.attribute, "magenta")
    ranked = sorted(distribution.as_dict().items(), key=lambda entry: -entry[1])[:_BARS]
    for rank, (label, probability) in enumerate(ranked):
        weight = "dim" if rank else "bold"
        table.add_row(
            "",
            "" if rank else name,
            Text(visible(label), style=weight, overflow="ellipsis"),
            Text(bar_text(probability, _BAR_WIDTH, unicode), style=style),
            Text(percent_text(probability), style=weight),
        )


def bar_text(probability: float, width: int, unicode: bool) -> str:
    """A bar of at most `width` characters, in eighths of one where the terminal has them."""
    share = min(max(probability, 0.0), 1.0)
    if not unicode:
        return "#" * round(share * width)
    eighths = round(share * width * 8)
    rest = " \u258f\u258e\u258d\u258c\u258b\u258a\u2589"[eighths % 8]
    return "\u2588" * (eighths // 8) + rest.strip()
