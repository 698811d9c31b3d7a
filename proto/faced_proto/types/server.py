"""What a server is and accepts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from faced_proto.types.analysis import Engine
from faced_proto.types.distribution import Axis


class ModelRole(Enum):
    """What a network is for."""

    DETECTOR = "detector"
    LANDMARKS = "landmarks"
    ATTRIBUTE = "attribute"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A network, or what is derived from one; `axis` is None for detector and landmarks."""

    model: str
    role: ModelRole
    attribute: str
    axis: Axis | None
    calibrated: bool
    licence: str
    input_size: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server accepts."""

    max_message_bytes: int
    max_pixels: int
    max_upscaled_pixels: int
    max_detect_pixels: int


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Models, limits and device of a server."""

    version: str
    engine: Engine
    models: tuple[ModelInfo, ...]
    attributes: tuple[str, ...]
    limits: Limits
    notices: tuple[str, ...] = ()
