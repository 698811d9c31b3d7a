"""Manifest to verified files: no weight is used whose SHA-256 is not the manifest's."""

from __future__ import annotations

import hashlib
from pathlib import Path

from faced_models.errors import WeightsError
from faced_models.network_entry import NetworkEntry

WEIGHTS = Path(__file__).with_name("weights")


def verified_path(entry: NetworkEntry, folder: Path = WEIGHTS) -> Path:
    """The network's weights.

    Raises:
        WeightsError: the file is missing, unreadable or not the one that the manifest describes.
    """
    return _verified(folder / entry.file, entry.sha256)


def verified_reference(entry: NetworkEntry, folder: Path = WEIGHTS) -> Path:
    """The original that the weights were made from.

    Raises:
        WeightsError: there is none, or the file is missing, unreadable or altered.
    """
    if entry.reference is None:
        raise WeightsError(f"network {entry.name!r} keeps no copy of {entry.source.path}")
    return _verified(folder / entry.reference, entry.source.sha256)


def _verified(path: Path, expected: str) -> Path:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise WeightsError(f"weights {path.name} {reason}: expected {path} with SHA-256 {expected}") from error
    if found != expected:
        raise WeightsError(f"weights {path.name} are altered: expected SHA-256 {expected}, found {found} ({path})")
    return path
