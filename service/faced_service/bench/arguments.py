"""Flags that several benches share."""

from __future__ import annotations

import argparse
import os

DEFAULT_SIZES = [(640, 480)]


def add_threads(parser: argparse.ArgumentParser) -> None:
    """`--threads`, default all."""
    parser.add_argument("--threads", type=count, default=os.cpu_count() or 1, help="CPU threads (default: all)")


def add_sizes(parser: argparse.ArgumentParser) -> None:
    """`--sizes`, a list of (width, height)."""
    parser.add_argument("--sizes", type=sizes, default=DEFAULT_SIZES, help="WxH,... (default: 640x480)")


def add_rounds(parser: argparse.ArgumentParser) -> None:
    """`--rounds`, default 5."""
    parser.add_argument("--rounds", type=count, default=5, help="how often all is run (default: 5)")


def add_device(parser: argparse.ArgumentParser) -> None:
    """`--device`, default auto."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N (default: auto)")


def count(text: str) -> int:
    """A whole number from 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def sizes(text: str) -> list[tuple[int, int]]:
    """`WxH,...` to (width, height)."""
    found = []
    for part in text.split(","):
        width, _, height = part.partition("x")
        if not (width.isdigit() and height.isdigit() and min(int(width), int(height)) >= 1):
            raise argparse.ArgumentTypeError(f"{part!r} is not a size: expected WIDTHxHEIGHT, such as 640x480")
        found.append((int(width), int(height)))
    return found
