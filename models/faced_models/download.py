"""Weights from a URL, kept in the user's cache folder under their SHA-256."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit
from urllib.request import urlopen

from faced_models.cache_folder import cache_folder, cache_place
from faced_models.errors import WeightsError

_TIMEOUT_S = 30.0
_CHUNK = 1 << 20
_MOST_BYTES = 2 << 30
_LONGEST_NAME = 100

_logger = logging.getLogger(__name__)


def kept_copy(url: str, sha256: str) -> Path:
    """The file of `url`, from the cache folder or, the first time, from there. Only a whole file is ever put in place.

    Raises:
        WeightsError: it cannot be fetched or kept, or is not the file with that SHA-256.
    """
    path = cache_place("networks") / f"{sha256[:16]}-{PurePosixPath(urlsplit(url).path).name[-_LONGEST_NAME:]}"
    try:
        if _digest(path) == sha256:
            return path
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error
    folder = cache_folder("networks")
    if folder is None:
        raise WeightsError(f"{url} cannot be kept: no folder can be written; set FACED_CACHE_DIR")
    _logger.info("fetching %s", url)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".fetching-", delete=False) as file:
            partial = Path(file.name)
            try:
                with urlopen(url, timeout=_TIMEOUT_S) as answer:
                    size = 0
                    while chunk := answer.read(_CHUNK):
                        size += len(chunk)
                        if size > _MOST_BYTES:
                            raise WeightsError(f"{url} has more than {_MOST_BYTES >> 30} GiB")
                        file.write(chunk)
                file.flush()
                found = _digest(partial)
                if found != sha256:
                    raise WeightsError(f"{url} is another file: expected SHA-256 {sha256}, found {found}")
                # Whoever runs the server may read what somebody else has fetched.
                partial.chmod(0o644)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
    except (OSError, HTTPException) as error:  # urllib's errors are OSErrors
        raise WeightsError(f"{url} cannot be fetched: {error}") from error
    return path


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None
