"""Measure this machine: the detector beside dlib's, its memory, the stages of a frame, a whole server."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.table import Table

from faced_models.errors import DeviceError, WeightsError
from faced_service.bench import detector, fleet, growth, lag, live, pipeline, recall, server, throughput, workers
from faced_service.exit_codes import BAD_INPUT, MODELS_MISSING, USAGE

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Bench(Protocol):
    """A module that measures something; the first line of its docstring is its help."""

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare flags; `--json` is there already."""

    def run(self, arguments: argparse.Namespace) -> Sequence[DataclassInstance]:
        """Measure; one row or more.

        Raises:
            ValueError, RuntimeError: something cannot be measured; says what.
            DeviceError, WeightsError: as `load_models`.
        """


_BENCHES: dict[str, Bench] = {
    "detector": detector,
    "fleet": fleet,
    "lag": lag,
    "live": live,
    "memory": growth,
    "pipeline": pipeline,
    "recall": recall,
    "serve": server,
    "throughput": throughput,
    "workers": workers,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define every bench with its flags."""
    benches = parser.add_subparsers(dest="bench", required=True, metavar="BENCH")
    for name, bench in _BENCHES.items():
        text = (bench.__doc__ or "").partition("\n")[0]
        subparser = benches.add_parser(name, help=text, description=text)
        subparser.add_argument("--json", action="store_true", help="JSON on standard output")
        bench.add_arguments(subparser)


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; 3 for a picture that cannot be measured, 2 for a device that cannot, 5 without weights."""
    try:
        rows = _BENCHES[arguments.bench].run(arguments)
    except (ValueError, RuntimeError, DeviceError, WeightsError) as error:
        sys.stderr.write(f"faced bench: {error}\n")
        return {DeviceError: USAGE, WeightsError: MODELS_MISSING}.get(type(error), BAD_INPUT)
    records = [asdict(row) for row in rows]
    if arguments.json:
        sys.stdout.write(json.dumps({"rows": records}) + "\n")
    else:
        _print_table([_flat(record) for record in records])
    return 0


def _print_table(records: Sequence[dict[str, object]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in records[0]:
        table.add_column(column.replace("_", " "), justify="right")
    for record in records:
        table.add_row(*("-" if value is None else str(value) for value in record.values()))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _flat(record: dict[str, object]) -> dict[str, object]:
    """Columns of columns beside the others; `total` stands last."""
    flat: dict[str, object] = {}
    for name, value in record.items():
        flat |= value if isinstance(value, dict) else {name: value}
    if "total" in flat:
        flat["total"] = flat.pop("total")
    return flat
