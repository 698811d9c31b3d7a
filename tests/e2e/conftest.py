"""A server as users start it: `faced serve` in a process of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([BIN / "faced", "serve", "--port", str(port)], stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        line = server.stderr.readline()
        assert line.startswith(f"faced: serving on 127.0.0.1:{port}"), line
        yield f"127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGTERM)
        _, rest = server.communicate(timeout=30)
    assert server.returncode == 0, rest


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
