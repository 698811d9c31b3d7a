"""Where settings come from: defaults < TOML file < FACED_* environment < flags."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import get_args, get_type_hints

from faced_service.setting_kinds import Kind, Names
from faced_service.settings import Settings, SettingsError

ENVIRONMENT_PREFIX = "FACED_"
_OTHERS_VARIABLES = frozenset(
    f"FACED_{name}"
    for name in ("SERVER", "TOKEN", "DATA", "TLS_CA", "CACHE_DIR", "CARRIERS", "TRAIN_DIR", "CAMERA", "PROTO")
)
"""Read by clients, tests, networks and training; nothing to complain about here."""


@dataclass(frozen=True, slots=True)
class SettingEntry:
    """One field of `Settings`: its name, its kind of values, its sentence."""

    name: str
    kind: Kind
    help: str

    @property
    def flag(self) -> str:
        """`--max-pixels`."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """`FACED_MAX_PIXELS`."""
        return ENVIRONMENT_PREFIX + self.name.upper()


def setting_entries() -> Iterator[SettingEntry]:
    """All settings, in their order."""
    for name, hint in get_type_hints(Settings, include_extras=True).items():
        _type, kind, sentence = get_args(hint)
        yield SettingEntry(name, kind, sentence)


def shown(settings: Settings, entry: SettingEntry) -> str:
    """The value as TOML has it, or in a word where TOML has none."""
    value = getattr(settings, entry.name)
    if value is None:
        return '"all"' if isinstance(entry.kind, Names) else "unset"
    return json.dumps(value.value if isinstance(value, Enum) else str(value) if isinstance(value, Path) else value)


def load_settings(config: Path | None, environment: Mapping[str, str], flags: Mapping[str, str | bool]) -> Settings:
    """The settings of all sources; `flags` by field name, those that were given only.

    Raises:
        SettingsError: a key is unknown, or a value cannot be.
    """
    entries = {entry.name: entry for entry in setting_entries()}
    values = {} if config is None else _all_checked(entries, _read_toml(config), str(config))
    variables = {entry.variable: name for name, entry in entries.items()}
    for variable, text in environment.items():
        if variable.startswith(ENVIRONMENT_PREFIX) and variable not in _OTHERS_VARIABLES:
            name = variables.get(variable, variable)
            values[name] = _checked(entries, name, text, f"environment variable {variable}", parse=True)
    for name, given in flags.items():
        source = f"flag {entries[name].flag}"
        values[name] = _checked(entries, name, given, source, parse=isinstance(given, str))
    return Settings(**values)  # type: ignore[arg-type]  # each was checked by its kind


def checked_settings(values: Mapping[str, object], source: str) -> Settings:
    """Settings of one source alone, with values as TOML has them.

    Raises:
        SettingsError: a key is unknown, or a value cannot be.
    """
    entries = {entry.name: entry for entry in setting_entries()}
    return Settings(**_all_checked(entries, values, source))  # type: ignore[arg-type]  # each was checked by its kind


def _all_checked(entries: Mapping[str, SettingEntry], values: Mapping[str, object], source: str) -> dict[str, object]:
    return {name: _checked(entries, name, value, source, parse=False) for name, value in values.items()}


def _checked(entries: Mapping[str, SettingEntry], name: str, value: object, source: str, *, parse: bool) -> object:
    entry = entries.get(name)
    if entry is None:
        raise SettingsError(f"{source}: there is no setting {name!r}")
    try:
        return entry.kind.parse(str(value)) if parse else entry.kind.check(value)
    except ValueError as error:
        raise SettingsError(f"{source}: {name} is {value!r}, {error}") from error


def _read_toml(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is no TOML: {error}") from error
