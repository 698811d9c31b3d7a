"""Write the model cards from the manifest and the recorded evaluations."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import faced_models
from faced_models.atomic_file import write_atomically
from faced_models.errors import WeightsError
from faced_models.manifest import load_manifest
from faced_models.network_entry import NetworkEntry
from faced_service.exit_codes import BAD_INPUT, DONE, MODELS_MISSING, USAGE
from faced_train.report.card import card_of

CARDS = Path(faced_models.__file__).with_name("cards")
_STALE = 1

Record = Mapping[str, object]


class RecordError(Exception):
    """A recorded evaluation that no card can tell of; the message names its file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to, and whether to write."""
    parser.add_argument("--check", action="store_true", help="write nothing: 1 where a card is not up to date")
    parser.add_argument(
        "--cards", type=Path, default=CARDS, metavar="DIR", help="folder of the cards, with records/*.json in it"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write or compare; 0 done, 1 a card differs, 2 nothing can be written, 3 a record is wrong, 5 the manifest is."""
    try:
        pages = make_cards(arguments.cards / "records")
    except RecordError as error:
        return _fail(str(error), BAD_INPUT)
    except WeightsError as error:
        return _fail(str(error), MODELS_MISSING)
    differing = [name for name, text in pages.items() if _text(arguments.cards / name) != text]
    stray = sorted(path.name for path in arguments.cards.glob("*.md") if path.name not in pages)
    if arguments.check:
        for name in (*differing, *stray):
            sys.stdout.write(f"DIFFERS {name}\n")
        return _STALE if differing or stray else DONE
    try:
        for name in differing:
            write_atomically(arguments.cards / name, pages[name].encode())
            sys.stdout.write(f"written {name}\n")
        for name in stray:
            (arguments.cards / name).unlink()
            sys.stdout.write(f"removed {name}\n")
    except OSError as error:
        return _fail(f"{arguments.cards}: cannot be written: {error.strerror}", USAGE)
    return DONE


def make_cards(records: Path) -> dict[str, str]:
    """File name -> page, of every network of the package; `records` holds the output of `faced eval --json`.

    Raises:
        RecordError: a record cannot be read, or is of a network or a version that is not in the manifest.
        WeightsError: the manifest cannot be read.
    """
    networks = load_manifest().networks
    by_network: dict[str, list[Record]] = {entry.name: [] for entry in networks}
    for path in sorted(records.glob("*.json")):
        record = _read(path)
        by_network[_network_of(record, networks, path)].append(record)
    return {f"{entry.name}.md": card_of(entry, by_network[entry.name]) for entry in networks}


def _read(path: Path) -> Record:
    try:
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: is no record: {error}") from error
    missing = [key for key in ("model", "path", "data", "n", "missed") if key not in record]
    if not isinstance(record, dict) or missing:
        raise RecordError(f"{path}: is no output of `faced eval --json`: {', '.join(missing)} missing")
    return record


def _network_of(record: Record, networks: tuple[NetworkEntry, ...], path: Path) -> str:
    for entry in networks:
        if record["model"] in (entry.model_id, entry.raw.model_id):
            return entry.name
    known = ", ".join(entry.model_id for entry in networks)
    raise RecordError(f"{path}: measured {record['model']}, which is not what is served ({known}): evaluate it again")


def _text(path: Path) -> str | None:
    return path.read_text("utf-8") if path.is_file() else None


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"faced cards: {message}\n")
    return code
