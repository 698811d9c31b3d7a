"""Where this user keeps what was made or fetched once."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(name: str) -> Path | None:
    """The folder `name` in `FACED_CACHE_DIR`, else in the user's cache folder; None if nothing can be written."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "faced"
    folder = Path(os.environ.get("FACED_CACHE_DIR") or default) / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
