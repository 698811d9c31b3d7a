"""What a caller asks for, checked and with defaults filled in; pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from faced_models.scale import MAX_MIN_FACE_PX, MAX_UPSAMPLE_TIMES
from faced_proto.types import AnalysisOptions
from faced_service.errors import ForbiddenAttribute, InvalidOption, UnknownAttribute

_THRESHOLDS = (-1.0, 10.0)
_DEFAULT_THRESHOLD = 0.0


@dataclass(frozen=True, slots=True)
class CheckedOptions:
    """What holds for a frame; at most one of `upsample_times` and `min_face_px` is set."""

    upsample_times: int | None
    min_face_px: int | None
    threshold: float
    max_faces: int | None
    attributes: tuple[str, ...]
    include_landmarks: bool


def check_options(options: AnalysisOptions, *, known: Collection[str], allowed: Sequence[str]) -> CheckedOptions:
    """The options with defaults; `known` are all attributes that exist, `allowed` those that may be asked for.

    Raises:
        InvalidOption: names the field and its limits.
        UnknownAttribute: lists the known ones.
        ForbiddenAttribute: names it.
    """
    if options.upsample_times is not None and options.min_face_px is not None:
        raise InvalidOption("upsample_times and min_face_px exclude each other: give one of them")
    _in_range("upsample_times", options.upsample_times, 0, MAX_UPSAMPLE_TIMES)
    _in_range("min_face_px", options.min_face_px, 1, MAX_MIN_FACE_PX)
    _in_range("threshold", options.threshold, *_THRESHOLDS)
    if options.max_faces is not None and options.max_faces < 1:
        raise InvalidOption(f"max_faces is {options.max_faces}, must be at least 1; leave it unset for all faces")
    return CheckedOptions(
        upsample_times=options.upsample_times,
        min_face_px=options.min_face_px,
        threshold=_DEFAULT_THRESHOLD if options.threshold is None else options.threshold,
        max_faces=options.max_faces,
        attributes=_attributes(options.attributes, known, allowed),
        include_landmarks=options.include_landmarks is not False,
    )


def _in_range(name: str, value: float | None, low: float, high: float) -> None:
    # NaN fails the comparison.
    if value is not None and not low <= value <= high:
        raise InvalidOption(f"{name} is {_plain(value)}, must be {low:g} to {high:g}")


def _plain(value: float) -> str:
    # "g" would round large whole numbers.
    return str(value) if isinstance(value, int) else f"{value:g}"


def _attributes(names: Sequence[str] | None, known: Collection[str], allowed: Sequence[str]) -> tuple[str, ...]:
    if names is None:
        return tuple(allowed)
    for name in names:
        if name not in known:
            raise UnknownAttribute(f"there is no attribute {name[:40]!r}; there are {', '.join(known)}")
        if name not in allowed:
            raise ForbiddenAttribute(f"this server does not allow the attribute {name!r}")
    return tuple(dict.fromkeys(names))
