"""How a command of `faced` ends where it cannot go on: what it says, and what it returns."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from faced_models.errors import DeviceError, ModelError, WeightsError
from faced_service.exit_codes import BAD_INPUT, MODELS_MISSING, USAGE
from faced_service.settings import SettingsError
from faced_train.errors import DataError, PackageMissing

REFUSALS = (DataError, ModelError, SettingsError, DeviceError, WeightsError, PackageMissing)
"""What data, networks and settings raise where they are wrong."""

_UNASKABLE = (SettingsError, DeviceError)

_OF_TRAINING = ("torch", "matplotlib", "onnx")


@contextmanager
def needs_training() -> Iterator[None]:
    """Around imports of what needs the extra `train`.

    Raises:
        PackageMissing: one of its packages is not installed.
    """
    # Threads that spin while they wait take the cores from those that work; read when PyTorch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in _OF_TRAINING:
            raise
        raise PackageMissing(f"{error.name} is not installed: pip install 'faced-service[train]'") from error


def refuse(command: str, error: Exception) -> int:
    """Says one of `REFUSALS`, or what could not be written (an OSError); gives the exit code."""
    if isinstance(error, OSError):
        return fail(command, f"{error.filename}: cannot be written: {error.strerror}", USAGE)
    if isinstance(error, WeightsError | PackageMissing):
        return fail(command, str(error), MODELS_MISSING)
    return fail(command, str(error), USAGE if isinstance(error, _UNASKABLE) else BAD_INPUT)


def fail(command: str, message: str, code: int) -> int:
    """Says why on standard error; gives the code."""
    sys.stderr.write(f"faced {command}: {message}\n")
    return code
