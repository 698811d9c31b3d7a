"""Ray's own processes, for as long as they are wanted."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import ray

_STORE_BYTES = 256 << 20
"""Ray passes messages above 100 kB between processes through its store."""


@contextmanager
def ray_here(num_cpus: int, environment: Mapping[str, str], hook: str | None = None) -> Iterator[None]:
    """A Ray of this machine alone, while the context lasts; `environment` is for its processes.

    `hook` is the import path of a function that each worker calls first.

    Raises:
        RuntimeError: it does not start.
    """
    folder = tempfile.mkdtemp(prefix="faced-ray-")
    # Without a token of its own, Ray would leave one in the home folder.
    ours = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_TOKEN": secrets.token_hex(32), **environment}
    # Ray puts a handler of its own in place.
    handler = signal.getsignal(signal.SIGTERM)
    try:
        os.environ |= ours
        ray.init(
            address="local",
            num_cpus=num_cpus,
            include_dashboard=False,
            object_store_memory=_STORE_BYTES,
            logging_level=logging.ERROR,
            _node_ip_address="127.0.0.1",
            _temp_dir=folder,
            runtime_env=None if hook is None else {"worker_process_setup_hook": hook},
        )
        signal.signal(signal.SIGTERM, handler)
        yield
    finally:
        ray.shutdown()
        signal.signal(signal.SIGTERM, handler)
        shutil.rmtree(folder, ignore_errors=True)
        for name in ours:
            os.environ.pop(name, None)
