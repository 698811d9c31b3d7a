"""Manifest to verified files: no weight is used whose SHA-256 is not the manifest's."""

from __future__ import annotations

import hashlib
from pathlib import Path

from faced_models.download import kept_copy
from faced_models.errors import WeightsError
from faced_models.network_entry import NetworkEntry

WEIGHTS = Path(__file__).with_name("weights")


def verified_path(entry: NetworkEntry, folder: Path = WEIGHTS) -> Path:
    """The network's weights; those with a URL are fetched where there is no copy yet.

    Raises:
        WeightsError: the file is missing, unreadable or not the one that the manifest describes.
    """
    if entry.url is not None:
        try:
            return kept_copy(entry.url, entry.sha256)
        except WeightsError as error:
            raise entry.wrong(str(error)) from error
    return _verified(folder / entry.file, entry.sha256)


def verified_reference(entry: NetworkEntry, folder: Path = WEIGHTS) -> Path:
    """The original that the weights were made from.

    Raises:
        WeightsError: there is none, or the file is missing, unreadable or altered.
    """
    if entry.reference is None:
        raise entry.wrong("no copy of the file that it was made from is kept")
    return _verified(folder / entry.reference, entry.original.sha256)


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
