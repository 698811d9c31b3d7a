"""What files hold, read anew once they change: tokens and certificates are rotated while the server runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")
_Stamp = tuple[tuple[int, int, int] | None, ...]

OnReload = Callable[[str, bool], None]
"""Is told what was read anew, and whether it could be used."""

_logger = logging.getLogger(__name__)


def no_matter(_what: str, _usable: bool) -> None:
    """Nobody wants to know."""


class FileFault(Exception):  # noqa: N818 - named by what it is
    """A file is missing, unreadable or not what it should be; the message names it, and nothing of its content."""


class WatchedFiles(Generic[Value]):
    """The value of some files. New files that cannot be used are logged and counted, and the value stays.

    Any thread may ask. Looking costs one `stat` a file.
    """

    def __init__(
        self,
        what: str,
        paths: Sequence[Path],
        read: Callable[[], Value],
        *,
        on_reload: OnReload = no_matter,
    ) -> None:
        """`what` names the files in logs and for `on_reload`.

        Raises:
            FileFault: what `read` raised at first.
        """
        self._what, self._paths, self._read, self._on_reload = what, tuple(paths), read, on_reload
        self._lock = Lock()
        # Taken before reading: a change while reading is seen the next time.
        self._stamp = self._look()
        self._value = read()

    @property
    def value(self) -> Value:
        """The newest that could be used."""
        with self._lock:
            stamp = self._look()
            if stamp != self._stamp:
                self._stamp = stamp
                self._reload()
            return self._value

    def _reload(self) -> None:
        try:
            self._value = self._read()
        except FileFault as error:
            _logger.error("%s changed and cannot be used, the ones before stay in force: %s", self._what, error)
            self._on_reload(self._what, False)
        else:
            _logger.info("%s changed, and are in force", self._what)
            self._on_reload(self._what, True)

    def _look(self) -> _Stamp:
        return tuple(_stamp(path) for path in self._paths)


def read_file(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        FileFault: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileFault(f"{path} cannot be read: {error.strerror}") from error


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
