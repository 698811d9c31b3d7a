"""A detector's run in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from faced_train.errors import DataError
from faced_train.training.state_file import no_checkpoint, read_state, write_state

FORMAT = 1
_NAME = "detector.pt"


def read_checkpoint(folder: Path) -> dict[str, Any] | None:
    """What `write_checkpoint` wrote; None where there is none.

    `batch` and `patience` are missing where an earlier version wrote it.

    Raises:
        DataError: the file cannot be read, or is none of `FORMAT`.
    """
    content = read_state(folder / _NAME)
    if content is None:
        return None
    try:
        kind, _ = content["format"], content["identity"]
    except KeyError as error:
        raise unreadable(folder, error) from error
    if kind != FORMAT:
        raise DataError(f"{folder}: holds a run of another version; name another folder")
    return content


def write_checkpoint(folder: Path, content: dict[str, Any]) -> None:
    """As `write_state`."""
    write_state(content, folder / _NAME)


def unreadable(folder: Path, error: Exception) -> DataError:
    """What to raise where a checkpoint is not what it should be."""
    return no_checkpoint(folder / _NAME, error)
