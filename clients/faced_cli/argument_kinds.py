"""What single arguments of the command line may be; each reader raises `ArgumentTypeError` for anything else."""

from __future__ import annotations

import argparse
import math
import re
from typing import Literal


def attributes(text: str) -> tuple[str, ...] | None:
    """Names of a comma list; None = "all", () = "none"."""
    if text == "all":
        return None
    if text == "none":
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise argparse.ArgumentTypeError(f"an empty name in {text!r}")
    return tuple(dict.fromkeys(names))


def upsample(text: str) -> int | Literal["auto"]:
    """Doublings from 0 to 8, or "auto"."""
    if text == "auto":
        return "auto"
    if text.isascii() and text.isdigit() and int(text) <= 8:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is neither auto nor a number from 0 to 8")


def positive(text: str) -> int:
    """A whole number from 1."""
    if text.isascii() and text.isdigit() and 1 <= int(text) < 2**31:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")


def seconds(text: str) -> float:
    """A number above 0."""
    value = finite(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0")
    return value


def finite(text: str) -> float:
    """Any number."""
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not finite")
    return value


def encoding(text: str) -> str:
    """As the SDK reads it: "raw", "png" or "jpeg:Q"."""
    if text == "jpeg":
        return "jpeg:95"
    if re.fullmatch(r"raw|png|jpeg:([1-9][0-9]?|100)", text):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is none of raw, png and jpeg:Q with Q from 1 to 100")


def from_0(text: str) -> float:
    """A number that is not negative."""
    value = finite(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is below 0")
    return value
