"""What can go wrong in this package; everything else is a bug.

Exception
├── ModelError      a network failed on an input
│   └── OutOfMemory     because its run could not allocate
├── WeightsError    weights are missing, altered or unreadable
└── DeviceError     the device that was asked for cannot run
"""

from __future__ import annotations


class ModelError(Exception):
    """A network failed on this input; the message says which network."""


class OutOfMemory(ModelError):  # noqa: N818 - named by what happened
    """A run could not allocate its memory; a smaller one may."""


class WeightsError(Exception):
    """Weights are missing, altered or unreadable; the message names the file."""


class DeviceError(Exception):
    """The device that was asked for cannot run; the message says which library is missing."""
