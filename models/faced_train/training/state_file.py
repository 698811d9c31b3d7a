"""What a run keeps on disk, as PyTorch writes it: as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from faced_train.errors import DataError


def write_state(content: dict[str, Any], path: Path) -> None:
    """Makes the folder where there is none.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f".{path.name}")
    with made.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)


def read_state(path: Path) -> dict[str, Any] | None:
    """What `write_state` wrote; None where there is none.

    Raises:
        DataError: it cannot be read.
    """
    if not path.exists():
        return None
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, EOFError, UnpicklingError) as error:
        raise no_checkpoint(path, error) from error


def no_checkpoint(path: Path, error: Exception) -> DataError:
    """What to raise where a file is not what it should be."""
    return DataError(f"{path}: is no checkpoint: {error}")
