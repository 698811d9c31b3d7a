"""What an operator can set, and where it comes from: defaults < TOML file < FACED_* environment < flags."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args, get_type_hints

from faced_proto.types import Limits, Precision
from faced_service.setting_kinds import Kind, Member, Names, Real, Switch, Text, Whole

ENVIRONMENT_PREFIX = "FACED_"
_OTHERS_VARIABLES = frozenset(
    f"FACED_{name}" for name in ("SERVER", "TOKEN", "DATA", "TLS_CA", "TLS_CERT", "TLS_KEY", "CACHE_DIR", "CARRIERS")
)
"""Read by the client, the tests and the networks; nothing to complain about here."""

_MIB = 1 << 20
_LOOPBACK = r"localhost|127\.\d+\.\d+\.\d+|::1|\[::1\]"
_HOST = Text(r"[A-Za-z0-9._:\[\]-]+", "a host name or an address")


class SettingsError(Exception):
    """A setting that cannot be; the message names its key and its source."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an operator can set; the sentence of a field is its help."""

    host: Annotated[str, _HOST, "Address to listen on; one that other machines reach needs `insecure`."] = "127.0.0.1"
    port: Annotated[int, Whole(0, 65535), "Port to listen on; 0 takes a free one."] = 50051
    insecure: Annotated[bool, Switch(), "Allows listening for other machines without encryption and token."] = False
    workers: Annotated[int, Whole(1, 256), "Processes that share the port, each with all networks."] = 1
    metrics_port: Annotated[
        int | None, Whole(0, 65535), "Port of the page /metrics on the same host; 0 takes a free one; unset: none."
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
    describe_batch: Annotated[int, Whole(1, 4096), "Faces that share a run of an attribute network."] = 32
    describe_wait_ms: Annotated[float, Real(0, 1000), "Milliseconds that faces wait for others to share."] = 0.0
    queue_limit: Annotated[int, Whole(1, 4096), "Frames in hand of a worker; further requests are refused."] = 32
    stream_credits: Annotated[int, Whole(1, 256), "Frames of one stream that may be unanswered."] = 4
    run_timeout_s: Annotated[
        float, Real(0.1, 86400), "Seconds after which a run of a network counts as hung, and its server ends."
    ] = 60.0
    drain_grace_s: Annotated[float, Real(0, 3600), "Seconds that running requests get when the server stops."] = 10.0

    models_file: Annotated[
        str | None, Text(r".+", "the path of a file"), "TOML file with networks of your own, see docs/plug-in.md."
    ] = None
    allowed_attributes: Annotated[
        tuple[str, ...] | None, Names(), "Attributes that requests may name; unset: all that there are."
    ] = None
    gender_guard_threshold: Annotated[
        float, Real(0, 1), "Gender is withheld where the probability of an age below 16 is above this."
    ] = 0.2

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
        if not self.insecure and re.fullmatch(_LOOPBACK, self.host) is None:
            raise SettingsError(
                f"host is {self.host!r}, which other machines reach without encryption or token: "
                "that needs insecure = true (--insecure)"
            )

    @property
    def limits(self) -> Limits:
        """What callers are told of it."""
        return Limits(self.max_message_bytes, self.max_pixels, self.max_upscaled_pixels, self.max_detect_pixels)


@dataclass(frozen=True, slots=True)
class SettingEntry:
    """One field of `Settings`: its name, its kind of values, its sentence."""

    name: str
    kind: Kind
    help: str

    @property
    def flag(self) -> str:
        """`--max-pixels`."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """`FACED_MAX_PIXELS`."""
        return ENVIRONMENT_PREFIX + self.name.upper()


def setting_entries() -> Iterator[SettingEntry]:
    """All settings, in their order."""
    for name, hint in get_type_hints(Settings, include_extras=True).items():
        _type, kind, sentence = get_args(hint)
        yield SettingEntry(name, kind, sentence)


def load_settings(config: Path | None, environment: Mapping[str, str], flags: Mapping[str, str | bool]) -> Settings:
    """The settings of all sources; `flags` by field name, those that were given only.

    Raises:
        SettingsError: a key is unknown, or a value cannot be.
    """
    entries = {entry.name: entry for entry in setting_entries()}
    values: dict[str, object] = {}
    if config is not None:
        for name, value in _read_toml(config).items():
            values[name] = _checked(entries, name, value, str(config), parse=False)
    variables = {entry.variable: name for name, entry in entries.items()}
    for variable, text in environment.items():
        if variable.startswith(ENVIRONMENT_PREFIX) and variable not in _OTHERS_VARIABLES:
            name = variables.get(variable, variable)
            values[name] = _checked(entries, name, text, f"environment variable {variable}", parse=True)
    for name, given in flags.items():
        source = f"flag {entries[name].flag}"
        values[name] = _checked(entries, name, given, source, parse=isinstance(given, str))
    return Settings(**values)  # type: ignore[arg-type]  # each was checked by its kind


def _checked(entries: Mapping[str, SettingEntry], name: str, value: object, source: str, *, parse: bool) -> object:
    entry = entries.get(name)
    if entry is None:
        raise SettingsError(f"{source}: there is no setting {name!r}")
    try:
        return entry.kind.parse(str(value)) if parse else entry.kind.check(value)
    except ValueError as error:
        raise SettingsError(f"{source}: {name} is {value!r}, {error}") from error


def _read_toml(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is no TOML: {error}") from error
