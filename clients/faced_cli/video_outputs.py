"""What a video run may write, checked before any work."""

from __future__ import annotations

from pathlib import Path

from faced_cli.errors import InputError, UsageError
from faced_cli.terminal import is_standard_output

_SUFFIXES = frozenset({".mp4", ".m4v"})


def check_outputs(source: Path, output: Path | None, jsonl: Path | None, *, force: bool) -> None:
    """Each output has a folder, is not the source or another output, and does not exist unless `force`.

    Devices and pipes need no `force`: there is nothing to lose.

    Raises:
        UsageError: one exists, is written twice, or is no MP4 by its name.
        InputError: a folder is missing.
    """
    if output is not None and output.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"{output}: the video is written as MP4, so its name must end in .mp4")
    paths = [path for path in (output, jsonl) if path is not None and not is_standard_output(path)]
    for path in paths:
        if not path.parent.is_dir():
            raise InputError(f"{path}: there is no folder {path.parent}")
        if path.is_dir():
            raise UsageError(f"{path}: is a folder")
        if _same(path, source):
            raise UsageError(f"{path}: is the video that is read")
        if _holds_data(path) and not force:
            raise UsageError(f"{path}: exists; give --force to write over it")
    if len(paths) == 2 and _same(*paths):
        raise UsageError(f"{paths[0]}: cannot be both video and rows")


def _holds_data(path: Path) -> bool:
    return path.exists() and not (path.is_char_device() or path.is_fifo())


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other))
