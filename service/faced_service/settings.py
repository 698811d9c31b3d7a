"""What an operator can set; `setting_sources.py` reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from faced_proto.types import Limits, Precision
from faced_service.setting_kinds import FileName, Member, Names, Real, Switch, Text, Whole

_MIB = 1 << 20
_LOOPBACK = r"localhost|127\.\d+\.\d+\.\d+|::1|\[::1\]"
_HOST = Text(r"[A-Za-z0-9._:\[\]-]+", "a host name or an address")


class SettingsError(Exception):
    """A setting that cannot be; the message names its key and its source."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an operator can set; the sentence of a field is its help."""

    host: Annotated[
        str, _HOST, "Address to listen on; one that other machines reach needs TLS and tokens, or `insecure`."
    ] = "127.0.0.1"
    port: Annotated[int, Whole(0, 65535), "Port to listen on; 0 takes a free one."] = 50051
    insecure: Annotated[bool, Switch(), "Allows listening for other machines without TLS or without tokens."] = False
    tls_cert: Annotated[
        Path | None, FileName(), "The server's certificate and those between it and its authority (PEM)."
    ] = None
    tls_key: Annotated[Path | None, FileName(), "The private key of `tls_cert` (PEM, not encrypted)."] = None
    tls_client_ca: Annotated[
        Path | None, FileName(), "Authorities (PEM) of callers' certificates; without one of them nobody may call."
    ] = None
    token_file: Annotated[
        Path | None, FileName(), "File with one `name:token` a line; without one of them nobody may call."
    ] = None
    workers: Annotated[int, Whole(1, 256), "Processes that share the port, each with all networks."] = 1
    engine: Annotated[
        str, Text("grpc|ray", "grpc or ray"), "What carries the calls: this process, or Ray Serve, see docs/ray.md."
    ] = "grpc"
    ray_min_replicas: Annotated[int, Whole(1, 4096), "Replicas that Ray keeps, each with all networks."] = 1
    ray_max_replicas: Annotated[
        int, Whole(1, 4096), "Replicas that Ray adds up to, as requests wait; as many are planned for on this machine."
    ] = 1
    ray_requests_per_replica: Annotated[
        float, Real(0.1, 4096), "Requests in hand of a replica that Ray aims at; an open stream is one."
    ] = 8.0
    ray_gpus: Annotated[float, Real(0, 64), "GPUs that Ray gives a replica; a part of 1 shares one."] = 0.0
    metrics_port: Annotated[
        int | None, Whole(0, 65535), "Port of the page /metrics on the same host; 0 takes a free one; unset: none."
    ] = None

    metrics_host: Annotated[str | None, _HOST, "Address of that page; unset: `host`. It asks for no token."] = None

    web_port: Annotated[
        int | None,
        Whole(0, 65535),
        "Port of the live page, the camera socket and POST /v1/analyze on `host`; 0 takes a free one; unset: none.",
    ] = None
    web_hosts: Annotated[
        tuple[str, ...] | None,
        Names(),
        "Names by which browsers may reach them; all: any, but loopback's alone where `host` is one.",
    ] = None

    precision: Annotated[
        Precision, Member(Precision), "exact keeps dlib's boxes; fast may move some by one step of size."
    ] = Precision.EXACT
    backend: Annotated[
        str, Text("auto|ort|openvino|dlib", "auto, ort, openvino or dlib"), "What runs the detector; dlib is slow."
    ] = "auto"
    device: Annotated[
        str,
        Text(r"auto|cpu|cuda(:\d+)?", "auto, cpu, cuda or cuda:N"),
        "Where the networks run; a device that is named and cannot run is an error.",
    ] = "auto"
    cpu_threads: Annotated[
        int | None, Whole(1, 1024), "Threads that all networks of all workers share; unset: as many as there are cores."
    ] = None
    gpu_memory_mb: Annotated[
        int | None,
        Whole(64, 2**20),
        "Megabytes of a GPU that a network may take for frames of one size; unset: as many as there are.",
    ] = None

    max_message_bytes: Annotated[int, Whole(1024, 2**31 - 1), "Bytes of the largest message."] = 16 * _MIB
    max_pixels: Annotated[int, Whole(1, 2**30), "Pixels of the largest picture; larger ones are refused."] = 40_000_000
    max_upscaled_pixels: Annotated[int, Whole(1, 2**30), "A doubling that gives more pixels than this is not done."] = (
        2_000_000
    )
    max_detect_pixels: Annotated[
        int, Whole(1, 2**30), "Pictures of more pixels than this are shrunk for detection."
    ] = 8_300_000

    detect_batch: Annotated[int, Whole(1, 256), "Frames of one size that share a run of the detector."] = 1
    detect_wait_ms: Annotated[float, Real(0, 1000), "Milliseconds that a frame waits for others to share."] = 0.0
    detect_runs: Annotated[
        int,
        Whole(1, 16),
        "Runs of the detector that go on at once on a CPU: 2 do 5 % more for one caller's files in twice the memory; "
        "live frames grow older then, and who sends one picture at a time gets less beside one who floods.",
    ] = 1
    detect_runs_crowded: Annotated[
        int,
        Whole(1, 16),
        "The same while 16 frames wait for the detector, of at most 1920 x 1080 each, and nobody is there who sends "
        "one at a time: 2 do 5 % more, which then makes up for each taking longer.",
    ] = 2
    describe_batch: Annotated[int, Whole(1, 4096), "Faces that share a run of an attribute network."] = 32
    describe_wait_ms: Annotated[float, Real(0, 1000), "Milliseconds that faces wait for others to share."] = 0.0
    queue_limit: Annotated[
        int, Whole(1, 4096), "Frames in hand of a worker; further calls are refused, further frames of streams wait."
    ] = 32
    max_in_flight_bytes: Annotated[
        int,
        Whole(1024, 2**40),
        "Bytes of messages and decoded pictures in hand of a worker; beyond them calls are refused, streams not read. "
        "One picture is always taken.",
    ] = 512 * _MIB
    max_streams: Annotated[int, Whole(1, 65536), "Streams of a worker that are open at a time."] = 64
    streams_per_caller: Annotated[
        int, Whole(1, 65536), "Streams of a worker that one caller may have open (a token, a certificate or a host)."
    ] = 32
    requests_per_second: Annotated[
        float | None,
        Real(0.01, 1e6),
        "Calls and frames a second that a worker takes of one caller: more calls are refused, more frames wait; "
        "unset: no limit.",
    ] = None
    upload_timeout_s: Annotated[
        float,
        Real(0.1, 86400),
        "Seconds within which the picture of a call, or the start of a stream, must have arrived.",
    ] = 30.0
    stream_credits: Annotated[int, Whole(1, 256), "Frames of one stream that may be unanswered."] = 4
    run_timeout_s: Annotated[
        float, Real(0.1, 86400), "Seconds after which a run of a network counts as hung, and its server ends."
    ] = 60.0
    max_connection_age_s: Annotated[
        float | None,
        Real(1, 1e6),
        "Seconds after which a connection takes no more calls and its streams are told to come again; unset: no limit.",
    ] = None
    reflection: Annotated[bool, Switch(), "Tells callers who may call the service's methods and messages."] = False
    drain_wait_s: Annotated[
        float,
        Real(0, 3600),
        "Seconds between NOT_SERVING and the end of new calls when the server stops, for load balancers to notice.",
    ] = 0.0
    drain_grace_s: Annotated[float, Real(0, 3600), "Seconds that running requests get when the server stops."] = 10.0

    models_file: Annotated[
        str | None, Text(r".+", "the path of a file"), "TOML file with networks of your own, see docs/plug-in.md."
    ] = None
    networks: Annotated[
        tuple[str, ...] | None, Names(), "Networks, by name, that take the place of the usual ones of their attributes."
    ] = None
    allowed_attributes: Annotated[
        tuple[str, ...] | None, Names(), "Attributes that requests may name; unset: all that there are."
    ] = None
    gender_guard_threshold: Annotated[
        float, Real(0, 0.5), "Gender is withheld where the probability of an age below 16 is above this."
    ] = 0.3
    gender_without_age_guard: Annotated[
        bool, Switch(), "Tells gender for all faces, also those that may be a child's, of which it is near chance."
    ] = False

    raw_probabilities: Annotated[
        bool, Switch(), "The networks' own probabilities, without the calibration that was fitted to them."
    ] = False

    log_format: Annotated[str, Text("plain|json", "plain or json"), "Lines for people, or JSON for collectors."] = (
        "plain"
    )
    log_level: Annotated[
        str,
        Text("debug|info|warning|error", "debug, info, warning or error"),
        "The least severe message that is logged.",
    ] = "info"

    def __post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise SettingsError("tls_cert and tls_key: both or neither")
        if self.ray_min_replicas > self.ray_max_replicas:
            raise SettingsError("ray_min_replicas is above ray_max_replicas")
        if self.tls_client_ca is not None and self.tls_cert is None:
            raise SettingsError("tls_client_ca needs tls_cert and tls_key")
        missing = " and ".join(
            words
            for words, there in (
                ("TLS (tls_cert, tls_key)", self.tls_cert is not None),
                ("tokens (token_file) or callers' certificates (tls_client_ca)", self.authenticates),
            )
            if not there
        )
        if missing and not self.insecure and not self.loopback:
            raise SettingsError(
                f"host is {self.host!r}, which other machines reach, without {missing}: "
                "give these, or insecure = true (--insecure)"
            )

    @property
    def loopback(self) -> bool:
        """Whether this machine alone reaches `host`."""
        return re.fullmatch(_LOOPBACK, self.host) is not None

    @property
    def authenticates(self) -> bool:
        """Whether callers must show who they are."""
        return self.token_file is not None or self.tls_client_ca is not None

    @property
    def limits(self) -> Limits:
        """What callers are told of it."""
        return Limits(self.max_message_bytes, self.max_pixels, self.max_upscaled_pixels, self.max_detect_pixels)
