"""Where this user keeps what was made or fetched once."""

from __future__ import annotations

import os
from pathlib import Path


def cache_place(name: str) -> Path:
    """The folder `name` in `FACED_CACHE_DIR`, else in the user's cache folder; it need not exist."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "faced"
    return Path(os.environ.get("FACED_CACHE_DIR") or default) / name


def cache_folder(name: str) -> Path | None:
    """The folder as `cache_place` has it, made if need be; None if nothing can be written there."""
    folder = cache_place(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
