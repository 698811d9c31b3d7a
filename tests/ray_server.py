"""`faced serve --engine ray` in a process of its own; with a token, since its HAProxy listens on all addresses."""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.process import free_port, processes_of_session

READY_S = 180


@dataclass(frozen=True)
class RayServer:
    """Where it is, the token that it wants, the file of tokens, which may be changed, and the session it leads."""

    address: str
    token: str
    token_file: Path
    session: int

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),)


@contextmanager
def ray_server(*flags: object) -> Iterator[RayServer]:
    """A server that is ready, and that must end well and leave no process behind."""
    token, port = secrets.token_urlsafe(24), free_port()
    with tempfile.TemporaryDirectory(prefix="faced-on-ray-") as folder:
        tokens, said = Path(folder, "tokens"), Path(folder, "said")
        tokens.write_text(f"tests:{token}\n")
        program = [Path(sys.executable).parent / "faced", "serve", "--engine", "ray", "--port", str(port)]
        with said.open("w") as output:
            process = subprocess.Popen(
                [*program, "--token-file", tokens, *map(str, flags)],
                stderr=output,
                stdout=output,
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + READY_S
            while f"faced: serving on 127.0.0.1:{port}" not in said.read_text():
                assert process.poll() is None, said.read_text()
                assert time.monotonic() < deadline, said.read_text()
                time.sleep(0.1)
            yield RayServer(f"127.0.0.1:{port}", token, tokens, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        assert code == 0, said.read_text()
        assert not _left(process.pid), said.read_text()


def _left(session: int) -> list[int]:
    """Processes of the session that are still there; Ray's end a moment after it."""
    deadline = time.monotonic() + 10
    while left := processes_of_session(session):
        if time.monotonic() > deadline:
            return left
        time.sleep(0.1)
    return []
