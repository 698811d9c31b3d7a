"""What this process prints: results on standard output, messages on standard error."""

from __future__ import annotations

import errno
import io
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from faced_cli.errors import InputError

_ESCAPED = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's categories of control characters, lone surrogates and line ends."""

_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def prepare() -> None:
    """What standard output's encoding cannot show is escaped, as it is on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_text(text: str) -> None:
    """Writes `text` to standard output, at once.

    Raises:
        InputError: it cannot be written.
        BrokenPipeError: whoever read it has gone.
    """
    with output_failures_told():
        sys.stdout.write(text)
        sys.stdout.flush()


@contextmanager
def output_failures_told() -> Iterator[None]:
    """For a block in which only standard output can fail; raises as `print_text` does."""
    try:
        yield
    except BrokenPipeError:
        _discard_output()
        raise
    except OSError as error:
        _discard_output()
        full = error.errno == errno.ENOSPC
        why = "no space left on the device" if full else f"cannot be written ({error.strerror})"
        raise InputError(f"standard output: {why}") from error


def tell(message: str) -> None:
    """One line on standard error."""
    with suppress(OSError):  # there is nowhere left to say so
        sys.stderr.write(f"faced-cli: {visible(message)}\n")
        sys.stderr.flush()


def visible(text: str) -> str:
    """`text` with escapes for all that would steer a terminal, reorder the line or is no character."""
    return "".join(_escape(char) if _steers(char) else char for char in text)


def whole_text(text: str) -> str:
    """`text` as UTF-8 can carry it: U+FFFD for each byte of a file name that was no UTF-8."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def is_standard_output(path: Path) -> bool:
    """Whether `path` is the "-" of the command line, or another name of the file that standard output is."""
    if str(path) == "-":
        return True
    try:
        return os.path.samestat(path.stat(), os.fstat(1))
    except OSError:
        return False


def _discard_output() -> None:
    # What standard output still holds would fail once more when Python ends.
    with suppress(OSError, ValueError):  # it is no file of the system's
        output = sys.stdout.fileno()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, output)
        os.close(null)


def _steers(char: str) -> bool:
    return unicodedata.category(char) in _ESCAPED or char in _BIDI_CONTROLS


def _escape(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # a byte of a file name that is no UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")
