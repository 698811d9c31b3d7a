"""Which face of a row is which of the rows before: a Kalman filter a track, and the cheapest assignment. Pure.

State comes from rows alone, so that a stream that is primed with its past rows goes on as if unbroken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import lap
import numpy as np

from faced_proto.types import Box, Detection, FrameAnalysis
from faced_service.thumbnails import is_cut

MEMORY_S = 2.0
"""A face that is not seen for longer comes back as another one."""

SETTLED_S = 5.0
"""Rows that are older have no effect on a track that can be measured."""

_COAST_S = 1.0
"""A face that is not seen moves on for so long, then is waited for where it would be."""

# In sizes of the face, its size itself in natural logarithms; seconds.
_MEASURED = 0.08**2
"""Variance of a box: MMOD's come on a grid of a tenth of the face, in steps of size of 1.2."""
_ACCELERATION = 4.0
"""Spectral density of a head's acceleration; also the box of a face that is being covered stays behind the face."""
_FIRST_SPEED = 3.0**2
"""Variance of the speed of a face that was seen once: who walks past is that fast."""
_FIRST_VARIANCES = (_MEASURED, 0.0, _FIRST_SPEED)
_LEAST_GATE, _WIDEST_GATE = 0.75, 1.5
"""How far from its foreseen place a face may be: three standard deviations, within these bounds."""
_NEVER = 1e3

_Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Track:
    """One face over time: place (centre in pixels, log of size) when it was last seen, and change a second.

    The three variances, of place, of both and of speed, are in sizes of the face. `label` is what it was found as.
    """

    number: int
    label: str
    seen_s: float
    place: _Vector
    speed: _Vector
    variances: _Vector


@dataclass(frozen=True, slots=True)
class Tracks:
    """The tracks after some rows: those that may go on, the highest number ever given, the newest picture."""

    alive: tuple[Track, ...] = ()
    highest: int = 0
    thumbnail: bytes = b""


def number_faces(tracks: Tracks, time_s: float, row: FrameAnalysis) -> tuple[int, ...]:
    """The track of each face of the next row; new faces are numbered from left to right."""
    found = [face.detection for face in row.faces]
    boxes = [one.box for one in found]
    alive = _going_on(tracks, time_s, row.thumbnail)
    partners = _assign([_foreseen(track, time_s, row) for track in alive], found)
    numbers = [0 if i is None else alive[i].number for i in partners]
    fresh = sorted((j for j, i in enumerate(partners) if i is None), key=lambda j: boxes[j].left + boxes[j].right)
    for number, j in enumerate(fresh, tracks.highest + 1):
        numbers[j] = number
    return tuple(numbers)


def advance(tracks: Tracks, time_s: float, row: FrameAnalysis) -> Tracks:
    """The tracks after the next row, whose faces have their numbers; those without one are passed over."""
    alive = {track.number: track for track in _going_on(tracks, time_s, row.thumbnail)}
    highest = tracks.highest
    for face in row.faces:
        number = face.track_id
        if number is not None:
            before = alive.get(number)
            measured = _place(face.detection.box)
            begun = Track(number, face.detection.label, time_s, measured, (0.0, 0.0, 0.0), _FIRST_VARIANCES)
            alive[number] = begun if before is None else _moved(before, time_s, measured)
            highest = max(highest, number)
    return Tracks(tuple(alive.values()), highest, row.thumbnail or tracks.thumbnail)


def _going_on(tracks: Tracks, time_s: float, thumbnail: bytes) -> tuple[Track, ...]:
    if is_cut(tracks.thumbnail, thumbnail):
        return ()
    return tuple(track for track in tracks.alive if time_s - track.seen_s <= MEMORY_S)


@dataclass(frozen=True, slots=True)
class _Foreseen:
    label: str
    place: _Vector
    gate: float


def _foreseen(track: Track, time_s: float, row: FrameAnalysis) -> _Foreseen:
    """Where a face should be by now: not outside the picture, where nobody would look for it."""
    after = max(0.0, time_s - track.seen_s)
    x, y, size = (p + v * min(after, _COAST_S) for p, v in zip(track.place, track.speed, strict=True))
    spread = 3 * math.sqrt(_spread(track.variances, after)[0] + _MEASURED)
    gate = min(max(spread, _LEAST_GATE), _WIDEST_GATE)
    return _Foreseen(track.label, (min(max(x, 0.0), row.width), min(max(y, 0.0), row.height), size), gate)


def _assign(tracks: Sequence[_Foreseen], found: Sequence[Detection]) -> list[int | None]:
    """For each detection the track it belongs to: the assignment with the least sum of squared distances."""
    if not tracks or not found:
        return [None] * len(found)
    costs = np.array(
        [[_cost(track, _place(one.box)) if track.label == one.label else _NEVER for track in tracks] for one in found]
    )
    _, partners, _ = lap.lapjv(costs, extend_cost=True, cost_limit=_WIDEST_GATE**2)
    return [None if i < 0 else int(i) for i in partners]


def _cost(track: _Foreseen, place: _Vector) -> float:
    size = math.exp((track.place[2] + place[2]) / 2)
    x, y, larger = (a - b for a, b in zip(track.place, place, strict=True))
    squared = (x * x + y * y) / (size * size) + larger * larger
    return squared if squared <= track.gate**2 else _NEVER


def _place(box: Box) -> _Vector:
    size = math.sqrt(max(box.width * box.height, 1.0))
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2, math.log(size)


def _moved(track: Track, time_s: float, measured: _Vector) -> Track:
    """A step of the Kalman filter for constant speed, disturbed by white noise of acceleration."""
    after = max(0.0, time_s - track.seen_s)
    place, both, speed = _spread(track.variances, after)
    gain, speed_gain = place / (place + _MEASURED), both / (place + _MEASURED)
    foreseen = [p + v * after for p, v in zip(track.place, track.speed, strict=True)]
    missed = [m - f for m, f in zip(measured, foreseen, strict=True)]
    x, y, size = (f + gain * m for f, m in zip(foreseen, missed, strict=True))
    vx, vy, growth = (v + speed_gain * m for v, m in zip(track.speed, missed, strict=True))
    variances = ((1 - gain) * place, (1 - gain) * both, speed - speed_gain * both)
    return Track(track.number, track.label, time_s, (x, y, size), (vx, vy, growth), variances)


def _spread(variances: _Vector, after: float) -> _Vector:
    """The variances after some seconds (Bar-Shalom, Li, Kirubarajan: Estimation with Applications, 6.2.2)."""
    place, both, speed = variances
    return (
        place + 2 * after * both + after**2 * speed + _ACCELERATION * after**3 / 3,
        both + after * speed + _ACCELERATION * after**2 / 2,
        speed + _ACCELERATION * after,
    )
