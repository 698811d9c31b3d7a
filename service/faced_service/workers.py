"""Several server processes on one port, and the supervisor that starts, restarts and stops them."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic

from faced_service.exit_codes import ADDRESS_IN_USE, DONE, MODELS_MISSING, USAGE
from faced_service.metrics import SharedMetrics
from faced_service.serving import address_of, announced_page, say
from faced_service.settings import Settings
from faced_service.shared_port import shared_port

_SETTLED_S = 10.0
"""A worker that served for so long did not die of its start."""

_MOST_EARLY_DEATHS = 4
_FIRST_PAUSE_S = 0.5

_FINAL = frozenset({USAGE, ADDRESS_IN_USE, MODELS_MISSING})
"""Codes of a worker that knows why it cannot start: the next one could not either."""

_PATIENCE_S = 10.0
"""A worker gets so much longer than its running requests to end."""

_logger = logging.getLogger(__name__)


def supervise(settings: Settings) -> int:
    """Run `settings.workers` processes until SIGTERM or SIGINT; gives the exit code.

    Raises:
        AddressError: the address, or the one for metrics, is in use or not this machine's.
    """
    with ExitStack() as stack:
        port = stack.enter_context(shared_port(settings.host, settings.port))
        web_port = None
        if settings.web_port is not None:
            web_port = stack.enter_context(shared_port(settings.host, settings.web_port))
        metrics = stack.enter_context(_shared_metrics(settings))
        threads = threads_of_each(settings, settings.workers)
        share = replace(settings, port=port, web_port=web_port, cpu_threads=threads, workers=1, metrics_port=None)
        return asyncio.run(_supervise(share, settings.workers, metrics))


def threads_of_each(settings: Settings, processes: int) -> int:
    """The part of `cpu_threads` that each of so many processes gets, at least 1."""
    return max(1, (settings.cpu_threads or os.cpu_count() or 1) // processes)


@contextmanager
def _shared_metrics(settings: Settings) -> Iterator[SharedMetrics | None]:
    if settings.metrics_port is None:
        yield None
        return
    # Readable by this user only.
    with tempfile.TemporaryDirectory(prefix="faced-metrics-") as folder:
        metrics = SharedMetrics(Path(folder))
        with announced_page(metrics, settings):
            yield metrics


async def _supervise(share: Settings, count: int, metrics: SharedMetrics | None) -> int:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    workers = [_Worker(number, share, metrics) for number in range(1, count + 1)]
    keepers = [asyncio.create_task(worker.keep()) for worker in workers]
    announcer = asyncio.create_task(_announce(share, workers))
    stop = asyncio.create_task(told.wait())
    ended, _ = await asyncio.wait([stop, *keepers], return_when=asyncio.FIRST_COMPLETED)
    if stop in ended:
        say("draining")
    announcer.cancel()
    stop.cancel()
    for worker in workers:
        worker.stop()
    _, late = await asyncio.wait(keepers, timeout=share.drain_wait_s + share.drain_grace_s + _PATIENCE_S)
    for worker in workers if late else ():
        worker.kill()
    codes = await asyncio.gather(*keepers)
    return next((code for code in codes if code != DONE), DONE)


async def _announce(share: Settings, workers: list[_Worker]) -> None:
    words, *_ = await asyncio.gather(*(worker.ready for worker in workers))
    for notice in words["notices"]:
        say(str(notice))
    if share.web_port is not None:
        scheme = "http" if share.tls_cert is None else "https"
        say(f"live page on {scheme}://{address_of(replace(share, port=share.web_port))}/")
    say(f"serving on {address_of(share)}, {words['engine']}, {len(workers)} workers")


class _Worker:
    """One process after the other, until it is stopped or given up."""

    def __init__(self, number: int, share: Settings, metrics: SharedMetrics | None) -> None:
        self.ready: asyncio.Future[Mapping[str, str | list[str]]] = asyncio.get_running_loop().create_future()
        self._number = number
        self._share = share
        self._metrics = metrics
        self._stopped = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None

    def stop(self) -> None:
        """Let it drain and end."""
        self._stopped.set()
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    async def keep(self) -> int:
        """0 when it was stopped, else the exit code of the process that was given up."""
        early = 0
        while True:
            code, served_s = await self._run_once()
            if self._stopped.is_set():
                return DONE
            early = 0 if served_s > _SETTLED_S else early + 1
            if code in _FINAL or early == _MOST_EARLY_DEATHS:
                _logger.critical("worker %d ended with code %d and is given up", self._number, code)
                return code
            pause = _FIRST_PAUSE_S * 2**early
            _logger.error("worker %d ended with code %d, starts again in %g s", self._number, code, pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), pause)
                return DONE

    async def _run_once(self) -> tuple[int, float]:
        """One process from start to end: its exit code, and the seconds that it served."""
        process = self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "faced_service.worker"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **(self._metrics.environment if self._metrics else {})},
            # Ctrl-C in a terminal reaches the supervisor alone, which passes it on.
            process_group=0,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        if self._stopped.is_set():
            self._signal(signal.SIGTERM)
        process.stdin.write(pickle.dumps(self._share))
        since: float | None = None
        # A process that died instead has an empty line.
        if line := await process.stdout.readline():
            since = monotonic()
            if not self.ready.done():
                self.ready.set_result(json.loads(line))
        code = await process.wait()
        if self._metrics is not None and not self._stopped.is_set():
            self._metrics.worker_died(process.pid)
        process.stdin.close()
        # As shells do: 128 and the signal.
        return code if code >= 0 else 128 - code, 0.0 if since is None else monotonic() - since

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)
