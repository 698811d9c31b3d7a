"""`ray start --head` as people run it by hand, in a process of its own, on loopback."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.process import processes_of_session

_READY_S = 300


@contextmanager
def ray_head(*flags: str, ready: str, port: int, environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """In a folder of its own; gives the environment of those who talk to it, once it has said `ready`."""
    # Ray's sockets want a short path.
    folder = tempfile.mkdtemp(prefix="faced-ray-")
    callers = dict(environment)
    callers |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    command = [Path(sys.executable).parent / "ray", "start", "--head", "--block", "--node-ip-address=127.0.0.1"]
    command += [f"--port={port}", f"--temp-dir={folder}", "--num-cpus=2", f"--object-store-memory={200 << 20}", *flags]
    said = Path(folder, "said")
    with said.open("w") as file:
        head = subprocess.Popen(command, cwd=folder, env=callers, stdout=file, stderr=file, start_new_session=True)
    try:
        deadline = time.monotonic() + _READY_S
        while ready not in said.read_text():
            assert head.poll() is None, said.read_text()
            assert time.monotonic() < deadline, said.read_text()
            time.sleep(0.2)
        yield callers
    finally:
        head.send_signal(signal.SIGTERM)
        try:
            head.wait(60)
        finally:
            for process in processes_of_session(head.pid):
                os.kill(process, signal.SIGKILL)
            shutil.rmtree(folder, ignore_errors=True)
