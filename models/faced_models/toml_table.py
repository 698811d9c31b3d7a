"""A TOML table read field by field, so that every mistake in it is named by entry and field."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from faced_models.errors import WeightsError

_WORDS = {1: "one", 2: "two"}


class TomlTable:
    """Takes fields out of a table; `where` is what messages call it.

    Every method raises WeightsError, naming the table and the field, where a field is missing or wrong.
    """

    def __init__(self, values: object, where: str) -> None:
        if not isinstance(values, Mapping):
            raise WeightsError(f"{where} is {values!r}, expected a table")
        self._values = dict(values)
        self._where = where

    def text(self, key: str) -> str:
        """A string that is not empty."""
        value = self._take(key)
        if not isinstance(value, str) or not value:
            raise self.wrong(key, value, "a string that is not empty")
        return value

    def choice(self, key: str, *known: str) -> str:
        """One of the strings `known`."""
        value = self._take(key)
        if value not in known:
            raise self.wrong(key, value, f"one of {', '.join(known)}")
        return str(value)

    def digest(self, key: str) -> str:
        """A SHA-256 as 64 hexadecimal digits in lower case."""
        value = self.text(key)
        if len(value) != 64 or set(value) - set("0123456789abcdef"):
            raise self.wrong(key, value, "64 hexadecimal digits in lower case")
        return value

    def whole(self, key: str, *, least: int, most: int | None = None) -> int:
        """An integer of at least `least` and, if that is given, at most `most`."""
        value = self._take(key)
        if (
            not isinstance(value, int)
            or isinstance(value, bool)
            or value < least
            or (most is not None and value > most)
        ):
            raise self.wrong(key, value, f"an integer from {least}" + ("" if most is None else f" to {most}"))
        return value

    def flag(self, key: str) -> bool:
        """A boolean."""
        value = self._take(key)
        if not isinstance(value, bool):
            raise self.wrong(key, value, "true or false")
        return value

    def number(self, key: str, *, least: float) -> float:
        """A finite number of at least `least`."""
        value = self._take(key)
        if not _is_number(value) or float(value) < least:  # type: ignore[arg-type]
            raise self.wrong(key, value, f"a number from {least}")
        return float(value)  # type: ignore[arg-type]

    def numbers(self, key: str, *, count: int | None = None) -> tuple[float, ...]:
        """A list of `count` finite numbers; None: of one or more."""
        value = self._take(key)
        fits = isinstance(value, list) and (len(value) == count if count is not None else len(value) > 0)
        if not isinstance(value, list) or not fits or not all(_is_number(v) for v in value):
            raise self.wrong(key, value, "a list of numbers" if count is None else f"a list of {count} numbers")
        return tuple(float(v) for v in value)

    def texts(self, key: str, *, least: int = 2) -> tuple[str, ...]:
        """A list of at least `least` different strings."""
        value = self._take(key)
        if (
            not isinstance(value, list)
            or not all(isinstance(v, str) and v for v in value)
            or len(set(value)) != len(value)
            or len(value) < least
        ):
            raise self.wrong(key, value, f"a list of {_WORDS[least]} or more different strings")
        return tuple(value)

    def table(self, key: str) -> TomlTable:
        """A table inside this one."""
        return TomlTable(self._take(key), f"{self._where}: {key}")

    def tables(self, key: str) -> dict[str, TomlTable]:
        """A table of tables, by name; messages call each `key` and its name."""
        whole = self._take(key)
        if not isinstance(whole, Mapping):
            raise self.wrong(key, whole, "a table of tables")
        return {name: TomlTable(inner, f"{self._where}: {key} {name!r}") for name, inner in whole.items()}

    def has(self, key: str) -> bool:
        """True if the field is there and not yet taken."""
        return key in self._values

    def holds_list(self, key: str) -> bool:
        """True if the field is there and is a list."""
        return isinstance(self._values.get(key), list)

    def over(self, other: TomlTable) -> TomlTable:
        """The fields of both; where both have one, this table's."""
        return TomlTable({**other._values, **self._values}, self._where)

    def without(self, *keys: str) -> TomlTable:
        """The other fields."""
        return TomlTable({key: value for key, value in self._values.items() if key not in keys}, self._where)

    @property
    def keys(self) -> frozenset[str]:
        """The fields that are not yet taken."""
        return frozenset(self._values)

    def end(self) -> None:
        """Every field must have been taken."""
        if self._values:
            raise WeightsError(f"{self._where}: unknown field {min(self._values)!r}")

    def wrong(self, key: str, value: object, expected: str) -> WeightsError:
        """The error that says what is wrong with a field."""
        return WeightsError(f"{self._where}: {key} is {value!r}, expected {expected}")

    def _take(self, key: str) -> object:
        if key not in self._values:
            raise WeightsError(f"{self._where}: {key} is missing")
        return self._values.pop(key)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
