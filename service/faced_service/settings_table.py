"""The table of all settings in docs/settings.md, made from `Settings`: `make settings`; `make check` compares."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from faced_service.exit_codes import DONE
from faced_service.setting_kinds import FileName, Kind, Member, Names, Real, Switch, Text, Whole
from faced_service.setting_sources import SettingEntry, setting_entries, shown
from faced_service.settings import Settings

_PATH = Path(__file__).parents[2] / "docs" / "settings.md"
_HEAD = """\
# Settings

Made by `make settings` from `service/faced_service/settings.py`; `make check` compares.

Each setting can be given in a TOML file (`faced serve --config faced.toml`, `queue_limit = 64`), in the environment
(`FACED_QUEUE_LIMIT=64`) and as a flag (`--queue-limit 64`); later ones win. `faced serve --check-config` says what is
in force, and reads the files that it names. [operation.md](operation.md) tells how they work together.

| setting | values | default | what it does |
|---|---|---|---|
"""


def settings_table() -> str:
    """The whole page."""
    return _HEAD + "".join(map(_row, setting_entries()))


def main(words: Sequence[str]) -> int:
    """Write the page, or with --check say whether it is current; 1 if it is not."""
    page = settings_table()
    if list(words) == ["--check"]:
        if _PATH.read_text(encoding="utf-8") != page:
            print(f"{_PATH.name} is not current: make settings", file=sys.stderr)  # noqa: T201 - a command speaks
            return 1
        return DONE
    _PATH.write_text(page, encoding="utf-8")
    return DONE


def _row(entry: SettingEntry) -> str:
    cells = (f"`{entry.name}`", _values(entry.kind), _default(entry), entry.help)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _default(entry: SettingEntry) -> str:
    text = shown(Settings(), entry)
    return text if text == "unset" else f"`{text}`"


def _values(kind: Kind) -> str:
    match kind:
        case Whole(low, high):
            return f"{low} to {high}"
        case Real(low, high):
            return f"{low:g} to {high:g}"
        case Switch():
            return "true, false"
        case Member(of):
            return ", ".join(str(member.value) for member in of)
        case Text(_, expected):
            return expected
        case Names():
            return 'list of names, or "all"'
        case FileName():
            return "file"
        case _:
            raise TypeError(f"no words for {kind}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
