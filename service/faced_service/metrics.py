"""What is counted and timed, for Prometheus; the only importer of its client library."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from time import monotonic

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from faced_models.thrifty_detector import MemoryStep
from faced_proto.types import DropReason, Engine, FrameAnalysis, ModelInfo, Timing
from faced_proto.version import __version__

_SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable that the client library reads when it is imported."""

_STAGES = ("decode", "queue", "detect", "align", "describe")
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_RESIDENT_EVERY_S = 1.0
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "faced_requests",
            "Calls that ended, by status and by the holder of the token.",
            ("method", "code", "caller"),
            registry=self.registry,
        )
        self._durations = Histogram(
            "faced_request_seconds",
            "Seconds of calls that were answered with success.",
            ("method",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._reloads = Counter(
            "faced_reloads",
            "Files that changed, by whether they could be used.",
            ("what", "usable"),
            registry=self.registry,
        )
        self._frames = Counter("faced_frames", "Frames, by outcome.", ("outcome",), registry=self.registry)
        self._faces = Counter("faced_faces", "Faces in the frames' analyses.", registry=self.registry)
        self._stages = Histogram(
            "faced_stage_seconds", "Seconds of a frame by stage.", ("stage",), buckets=_SECONDS, registry=self.registry
        )
        self._memory = Counter(
            "faced_out_of_memory", "What a lack of memory forced, by step.", ("step",), registry=self.registry
        )
        self._hung = Counter("faced_hung_runs", "Runs that did not end in time.", ("queue",), registry=self.registry)
        self._waits = Histogram(
            "faced_queue_wait_seconds",
            "Seconds that an item, or a live stream for its turn, waited until its batch began.",
            ("queue",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._batches = Histogram(
            "faced_batch_size",
            "Frames (detect) or faces (describe) that shared a run.",
            ("queue",),
            buckets=_SIZES,
            registry=self.registry,
        )
        self._drops = Counter(
            "faced_frames_dropped", "Frames of streams that were not analysed.", ("reason",), registry=self.registry
        )
        self._pictures = Counter(
            "faced_pictures", "Pictures that came, by the holder of the token.", ("caller",), registry=self.registry
        )
        self._streams = Gauge(
            "faced_streams", "Streams that are open.", registry=self.registry, multiprocess_mode="livesum"
        )
        self._in_flight = Gauge(
            "faced_in_flight_bytes",
            "Bytes of messages and decoded pictures in hand.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self._resident = Gauge(
            "faced_resident_bytes",
            "Memory of the processes, as of their newest frame.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self._build = self._constant("faced_build_info", "The server.", ("version",))
        engine = ("device", "backend", "precision")
        self._engine = self._constant("faced_engine_info", "What runs the detector.", engine)
        self._models = self._constant("faced_model_info", "Networks that are loaded.", ("role", "attribute", "model"))
        self._resident_read = -_RESIDENT_EVERY_S
        self._depth = Gauge(
            "faced_queue_depth",
            "Frames in hand, waiting or under way.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        # Shown before they happen, so that an alarm on their increase sees the first one.
        for step in MemoryStep:
            self._memory.labels(step.value)
        for stage in _STAGES:
            self._stages.labels(stage)
        self._waits.labels("detect")
        for reason in DropReason:
            self._drops.labels(reason.value)
        self._build.labels(__version__).set(1)
        self._read_resident()

    def _constant(self, name: str, documentation: str, labels: tuple[str, ...]) -> Gauge:
        return Gauge(name, documentation, labels, registry=self.registry, multiprocess_mode="livemax")

    def networks_loaded(self, engine: Engine, models: Sequence[ModelInfo]) -> None:
        """What this server runs, also where callers may not ask for it."""
        self._engine.labels(engine.device, engine.backend, engine.precision.value).set(1)
        for model in models:
            self._models.labels(model.role.value, model.attribute, model.model).set(1)

    def request_ended(self, method: str, code: str, caller: str, seconds: float) -> None:
        """A call got its gRPC status; `caller` is the holder of a token, or empty."""
        self._requests.labels(method, code, caller).inc()
        if code == "OK":
            self._durations.labels(method).observe(seconds)

    def files_reloaded(self, what: str, usable: bool) -> None:
        """Certificates or tokens changed on disk; those that cannot be used leave the ones before in force."""
        self._reloads.labels(what, str(usable).lower()).inc()

    def frame_in_hand(self) -> AbstractContextManager[None]:
        """Counts a frame while the context lasts."""
        return self._depth.track_inprogress()

    def frame_analysed(self, analysis: FrameAnalysis) -> None:
        """A frame got its faces."""
        self._frames.labels("ok").inc()
        self._faces.inc(len(analysis.faces))
        self._read_resident()
        for stage, seconds in zip(_STAGES, _stage_seconds(analysis.timing), strict=True):
            self._stages.labels(stage).observe(seconds)

    def frame_failed(self, reason: str) -> None:
        """A frame got none."""
        self._frames.labels(reason).inc()

    def frame_dropped(self, reason: DropReason) -> None:
        """A frame of a stream was not analysed, and nothing is wrong with it."""
        self._drops.labels(reason.value).inc()

    def picture_came(self, caller: str) -> None:
        """A call or a frame of a stream has a picture; `caller` is the holder of a token, or empty."""
        self._pictures.labels(caller).inc()

    def stream_open(self) -> AbstractContextManager[None]:
        """Counts a stream while the context lasts."""
        return self._streams.track_inprogress()

    def bytes_in_flight(self, size: int) -> None:
        """So many bytes of messages and pictures are in hand now."""
        self._in_flight.set(size)

    def batch_began(self, queue: str, size: int, waits: Sequence[float]) -> None:
        """A run begins for items that waited so many seconds each, or whose streams did."""
        self._batches.labels(queue).observe(size)
        for wait in waits:
            self._waits.labels(queue).observe(wait)

    def memory_was_short(self, step: MemoryStep) -> None:
        """A run could not allocate."""
        self._memory.labels(step.value).inc()

    def run_hung(self, queue: str) -> None:
        """A run did not end in time."""
        self._hung.labels(queue).inc()

    def _read_resident(self) -> None:
        # Asking the system costs more than a count: not for each frame.
        if (now := monotonic()) - self._resident_read >= _RESIDENT_EVERY_S:
            self._resident_read = now
            with suppress(OSError):
                pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
                self._resident.set(pages * os.sysconf("SC_PAGE_SIZE"))


class SharedMetrics:
    """The sum of the metrics that worker processes keep in `folder`, for the process that looks after them."""

    def __init__(self, folder: Path) -> None:
        self.registry = CollectorRegistry()
        self._folder = folder
        MultiProcessCollector(self.registry, str(folder))  # type: ignore[no-untyped-call]
        self._ended = Counter("faced_worker_deaths", "Workers that ended unasked.", registry=self.registry)

    @property
    def environment(self) -> dict[str, str]:
        """What a worker must find in its environment, so that its metrics are part of the sum."""
        return {_SHARED_FOLDER: str(self._folder)}

    def worker_died(self, process: int) -> None:
        """Its counts stay, what it had in hand is gone."""
        self._ended.inc()
        mark_process_dead(process, str(self._folder))  # type: ignore[no-untyped-call]


@contextmanager
def metrics_page(registry: CollectorRegistry, host: str, port: int) -> Iterator[str]:
    """Serves /metrics in a thread; gives its address (port 0 takes a free one).

    Raises:
        OSError: the address is in use, or not this machine's.
    """
    server, thread = start_http_server(port, host.strip("[]"), registry)
    try:
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _stage_seconds(timing: Timing) -> tuple[float, ...]:
    stages = (timing.decode_us, timing.queue_us, timing.detect_us, timing.align_us, timing.describe_us)
    return tuple(microseconds / 1e6 for microseconds in stages)
