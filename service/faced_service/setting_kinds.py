"""What values a setting may have, from text (environment, flags) and from TOML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol


class Kind(Protocol):
    """One sort of value. Both methods raise ValueError, saying what the value must be."""

    def parse(self, text: str) -> object:
        """The value that a text stands for."""
        ...

    def check(self, value: object) -> object:
        """The value, if it is one of this kind."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int

    def parse(self, text: str) -> object:
        """Decimal digits."""
        return self.check(int(text)) if re.fullmatch(r"-?[0-9]{1,18}", text.strip()) else self.check(text)

    def check(self, value: object) -> object:
        """An int, and no bool."""
        if not isinstance(value, int) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise ValueError(f"must be a whole number from {self.low} to {self.high}")
        return value


@dataclass(frozen=True, slots=True)
class Real:
    """A number from `low` to `high`, both included."""

    low: float
    high: float

    def parse(self, text: str) -> object:
        """Decimal, with or without exponent."""
        try:
            return self.check(float(text))
        except ValueError:
            return self.check(text)

    def check(self, value: object) -> object:
        """A float or int, and no bool."""
        # NaN fails the comparison.
        if not isinstance(value, int | float) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise ValueError(f"must be a number from {self.low:g} to {self.high:g}")
        return float(value)


@dataclass(frozen=True, slots=True)
class Switch:
    """On or off."""

    def parse(self, text: str) -> object:
        """true, false, 1 or 0."""
        return self.check({"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower()))

    def check(self, value: object) -> object:
        """A bool."""
        if not isinstance(value, bool):
            raise ValueError("must be true or false")
        return value


@dataclass(frozen=True, slots=True)
class Text:
    """A text that matches `pattern` as a whole; `expected` is the pattern in words."""

    pattern: str
    expected: str

    def parse(self, text: str) -> object:
        """The text itself."""
        return self.check(text)

    def check(self, value: object) -> object:
        """A str."""
        if not isinstance(value, str) or re.fullmatch(self.pattern, value) is None:
            raise ValueError(f"must be {self.expected}")
        return value


@dataclass(frozen=True, slots=True)
class FileName:
    """Where a file lies, from the folder that the server was started in."""

    def parse(self, text: str) -> object:
        """The path itself."""
        return self.check(text)

    def check(self, value: object) -> object:
        """A str that is not empty."""
        if not isinstance(value, str) or not value or "\0" in value:
            raise ValueError("must be the name of a file")
        return Path(value)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an enum whose values are texts."""

    of: type[Enum]

    def parse(self, text: str) -> object:
        """The member's value."""
        return self.check(text)

    def check(self, value: object) -> object:
        """The member's value, as a str."""
        members = {member.value: member for member in self.of}
        if not isinstance(value, str) or value not in members:
            raise ValueError(f"must be one of {', '.join(members)}")
        return members[value]


@dataclass(frozen=True, slots=True)
class Names:
    """A set of names, or None for all."""

    def parse(self, text: str) -> object:
        """A comma list, "all" or "none"."""
        names = [name.strip() for name in text.split(",") if name.strip()]
        return self.check("all" if names == ["all"] else [] if names == ["none"] else names)

    def check(self, value: object) -> object:
        """A list of str, or "all"."""
        if value == "all":
            return None
        if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
            raise ValueError('must be a list of names, or "all"')
        return tuple(dict.fromkeys(value))
