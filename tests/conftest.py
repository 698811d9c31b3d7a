"""Fixtures that any test may ask for."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Commands that run in this process set up its logs, for a standard error that ends with the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


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
