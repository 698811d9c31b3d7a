"""What ends a command, each with its exit code.

CommandError
├── UsageError    2: the command line asks for something that cannot be
├── InputError    3: a picture, video or output file cannot be read or written
├── ServerError   4: the server is unreachable or refuses
└── ModelsError   5: weights are missing or altered
"""

from __future__ import annotations


class CommandError(Exception):
    """One sentence for standard error that names the thing, and the exit code that goes with it."""

    exit_code = 1


class UsageError(CommandError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class InputError(CommandError):
    """A picture, video or output file cannot be read or written.

    `reason` is the machine-readable word of JSON rows: an `ErrorReason` value, or "unreadable" for local files.
    """

    exit_code = 3

    def __init__(self, message: str, reason: str = "unreadable") -> None:
        super().__init__(message)
        self.reason = reason


class ServerError(CommandError):
    """The server is unreachable or refuses."""

    exit_code = 4


class ModelsError(CommandError):
    """Weights are missing or altered."""

    exit_code = 5
