"""Fixtures that any test may ask for."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent


def find_data() -> Path | None:
    """The development data: FACED_DATA, or ../shared/data beside the checkout."""
    named = os.environ.get("FACED_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def data_dir() -> Path:
    folder = find_data()
    if folder is None:
        pytest.skip("needs the development data: set FACED_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """uint8 [512, 512, 3] RGB; one face of about 96 px. Public domain, NASA."""
    from skimage.data import astronaut as load

    return np.ascontiguousarray(load())
