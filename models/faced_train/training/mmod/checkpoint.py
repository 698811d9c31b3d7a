"""A run's state in its folder, as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from faced_train.errors import DataError

FORMAT = 1
_NAME = "detector.pt"


def read_checkpoint(folder: Path) -> dict[str, Any] | None:
    """What `write_checkpoint` wrote; None where there is none.

    `batch` and `patience` are missing where an earlier version wrote it.

    Raises:
        DataError: the file cannot be read, or is none of `FORMAT`.
    """
    path = folder / _NAME
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        kind, _ = content["format"], content["identity"]
    except (OSError, RuntimeError, KeyError, TypeError, EOFError, UnpicklingError) as error:
        raise unreadable(folder, error) from error
    if kind != FORMAT:
        raise DataError(f"{folder}: holds a run of another version; name another folder")
    return dict(content)


def write_checkpoint(folder: Path, content: dict[str, Any]) -> None:
    """Makes the folder where there is none.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f".{_NAME}"
    with made.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    made.replace(folder / _NAME)


def unreadable(folder: Path, error: Exception) -> DataError:
    """What to raise where a checkpoint is not what it should be."""
    return DataError(f"{folder / _NAME}: is no checkpoint: {error}")
