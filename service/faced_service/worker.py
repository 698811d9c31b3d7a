"""One of several server processes, as its supervisor starts it: settings come in by standard input.

Standard output gets one line of JSON once the worker serves. When standard input ends, the supervisor is gone.
"""

from __future__ import annotations

import json
import pickle
import sys

from faced_service.logs import configure_logs
from faced_service.metrics import Metrics
from faced_service.networks import Networks
from faced_service.serving import exit_code_of, serve
from faced_service.settings import Settings


def main() -> int:
    """Serve; gives the exit code."""
    # From the process that started this one, on a pipe of their own.
    settings = pickle.load(sys.stdin.buffer)
    assert isinstance(settings, Settings)
    configure_logs(settings.log_format, settings.log_level)
    lifeline = sys.stdin.fileno()
    return exit_code_of(lambda: serve(settings, Metrics(), _announce, shared_port=True, lifeline=lifeline))


def _announce(_address: str, networks: Networks) -> None:
    engine = networks.models.detector.engine
    words = (engine.device, engine.backend, engine.precision.value)
    sys.stdout.write(json.dumps({"engine": ", ".join(words), "notices": networks.models.notices}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
