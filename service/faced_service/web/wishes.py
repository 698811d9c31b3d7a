"""What callers ask for, from query parameters and from the first message of a camera socket."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from faced_proto.types import AnalysisOptions, StreamConfig, StreamMode
from faced_service.errors import InvalidOption, StreamOrder

_INT32 = 2**31 - 1


def picture_options(query: Mapping[str, str]) -> tuple[AnalysisOptions, float | None]:
    """Options and deadline (seconds from now) of `POST /v1/analyze`.

    Raises:
        InvalidOption: a parameter is unknown or not of its kind; limits are looked at later.
    """
    _only(query, ("attributes", "min_face", "upsample", "threshold", "max_faces", "landmarks", "deadline_ms"))
    landmarks = query.get("landmarks", "true")
    if landmarks not in ("true", "false"):
        raise InvalidOption("landmarks must be true or false")
    deadline_ms = _number(query, "deadline_ms")
    if deadline_ms is not None and not deadline_ms > 0:
        raise InvalidOption(f"deadline_ms is {deadline_ms:g}, must be above 0")
    options = AnalysisOptions(
        upsample_times=_whole(query, "upsample"),
        min_face_px=_whole(query, "min_face"),
        threshold=_number(query, "threshold"),
        max_faces=_whole(query, "max_faces"),
        attributes=_names(query.get("attributes", "all")),
        include_landmarks=landmarks == "true",
    )
    return options, None if deadline_ms is None else deadline_ms / 1000


@dataclass(frozen=True, slots=True)
class Start:
    """The first message of a camera socket."""

    token: str | None
    config: StreamConfig


def start_from(text: str) -> Start:
    """What the first message says.

    Raises:
        StreamOrder: it is no start.
        InvalidOption: a field is unknown or not of its kind; limits are looked at later.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StreamOrder("the first message is no JSON") from error
    if not isinstance(message, dict) or message.get("type") != "start":
        raise StreamOrder('the first message must be a JSON object of the type "start"')
    _only(
        message,
        (
            *("type", "token", "attributes", "min_face", "upsample", "threshold", "max_faces", "landmarks"),
            *("smoothing_half_life", "scan_interval", "max_frame_age_ms"),
        ),
    )
    token, landmarks = message.get("token"), message.get("landmarks", True)
    if token is not None and not isinstance(token, str):
        raise InvalidOption("token must be a text")
    if not isinstance(landmarks, bool):
        raise InvalidOption("landmarks must be true or false")
    age_ms = _number(message, "max_frame_age_ms")
    names = message.get("attributes")
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise InvalidOption("attributes must be a list of names")
    return Start(
        token,
        StreamConfig(
            mode=StreamMode.LIVE,
            options=AnalysisOptions(
                upsample_times=_whole(message, "upsample"),
                min_face_px=_whole(message, "min_face"),
                threshold=_number(message, "threshold"),
                max_faces=_whole(message, "max_faces"),
                attributes=None if names is None else tuple(names),
                include_landmarks=landmarks,
            ),
            max_frame_age=None if age_ms is None else age_ms / 1000,
            scan_interval=_whole(message, "scan_interval"),
            track=True,
            smoothing_half_life=_number(message, "smoothing_half_life"),
        ),
    )


def _only(given: Mapping[str, object], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            raise InvalidOption(f"{name[:40]!r} is no option; there are {', '.join(known)}")


def _names(text: str) -> tuple[str, ...] | None:
    """A comma list, "all" or "none"."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    return None if names == ("all",) else () if names == ("none",) else names


def _whole(given: Mapping[str, object], name: str) -> int | None:
    value = given.get(name)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value):
        value = int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _INT32):
        return value
    raise InvalidOption(f"{name} must be a whole number from 0 on")


def _number(given: Mapping[str, object], name: str) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    raise InvalidOption(f"{name} must be a number")
