"""A server as users start it: `faced serve` in a process of its own."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import pytest

from tests.process import free_port

BIN = Path(sys.executable).parent


class Server:
    """A process of `faced serve`, ready when this is built."""

    def __init__(self, *flags: object, port: int | None = None, module: str | None = None) -> None:
        """`module` is run instead of the installed command."""
        self.port = free_port() if port is None else port
        self.address = f"127.0.0.1:{self.port}"
        program = [BIN / "faced"] if module is None else [sys.executable, "-m", module]
        command = [*program, "serve", "--port", str(self.port), *map(str, flags)]
        # A file, and no pipe that nobody reads.
        descriptor, name = tempfile.mkstemp(prefix="faced-said-")
        self._said = Path(name)
        self.process = subprocess.Popen(command, stderr=descriptor)
        os.close(descriptor)
        deadline = time.monotonic() + 60
        while f"faced: serving on {self.address}" not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.02)

    def said(self) -> str:
        """Its standard error so far."""
        return self._said.read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; gives the exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


@contextmanager
def serve(*flags: object) -> Iterator[Server]:
    """A server that must end well."""
    server = Server(*flags)
    try:
        yield server
    finally:
        code = server.stop()
    assert code == 0, server.said()


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with serve() as server:
        yield server.address


@pytest.fixture(scope="module")
def photo(astronaut, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "photo.jpg"
    cv2.imwrite(str(path), astronaut[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    return path


def faced_cli(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the installed command; its output as text."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FACED_SERVER")}
    command = [BIN / "faced-cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
