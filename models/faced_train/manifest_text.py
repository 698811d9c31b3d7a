"""A file of networks with fields of one network set, everything else kept as it is: order, comments, blank lines."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping

from faced_models.errors import WeightsError

_BARE = re.compile(r"[A-Za-z0-9_-]+")
"""Keys that TOML takes without quotes."""


def with_fields(text: str, name: str, fields: Mapping[str, str]) -> str:
    """`fields` are TOML values by key; a network that the file does not know is added at its end.

    Raises:
        WeightsError: a field stands there in a form that cannot be replaced: over several lines, or as a table.
    """
    lines = text.splitlines()
    header = re.compile(rf"""\s*\[\s*network\s*\.\s*(?:{re.escape(name)}|["']{re.escape(name)}["'])\s*\]\s*(#.*)?""")
    start = next((i for i, line in enumerate(lines) if header.fullmatch(line)), None)
    if start is None:
        gap = [""] if lines and lines[-1].strip() else []
        start = len(lines) + len(gap)
        lines += [*gap, f"[network.{name if _BARE.fullmatch(name) else json.dumps(name)}]"]
    end = next((i for i in range(start + 1, len(lines)) if lines[i].lstrip().startswith("[")), len(lines))
    section = lines[start + 1 : end]
    trailing = len(section)
    while trailing and not section[trailing - 1].strip():
        trailing -= 1
    body, blank = section[:trailing], section[trailing:]
    for key, value in fields.items():
        known = re.compile(rf"\s*{re.escape(key)}\s*=")
        place = next((i for i, line in enumerate(body) if known.match(line)), None)
        if place is None:
            body.append(f"{key} = {value}")
        else:
            body[place] = f"{key} = {value}"
    made = "\n".join([*lines[: start + 1], *body, *blank, *lines[end:]]) + "\n"
    _check(made, name, fields)
    return made


def _check(made: str, name: str, fields: Mapping[str, str]) -> None:
    """What was written must be read as it was meant."""
    try:
        entry = tomllib.loads(made)["network"][name]
        same = all(entry[key] == tomllib.loads(f"value = {value}")["value"] for key, value in fields.items())
    except (tomllib.TOMLDecodeError, KeyError):
        same = False
    if not same:
        raise WeightsError(
            f"network {name!r}: {', '.join(fields)} cannot be set: each must stand on one line, as key = value"
        )
