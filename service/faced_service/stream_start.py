"""How a stream begins: its configuration checked, and what of it is in force."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence, Sized
from dataclasses import replace
from typing import TypeVar
from uuid import uuid4

from faced_proto.types import AnalysisOptions, FrameAnalysis, FrameOutcome, StreamConfig, StreamStarted
from faced_service.analysis_request import STREAM_AUTO_UPSAMPLE
from faced_service.analyzer import Analyzer
from faced_service.errors import DeadlineExceeded, InvalidOption, NotReady
from faced_service.live_scan import MAX_SCAN_INTERVAL
from faced_service.stream_tracks import MAX_HALF_LIFE_S, history_span
from faced_service.tracks import MEMORY_S

MAX_HISTORY_ROWS = 8192
"""Twice what the SDK keeps: all that its callers give of their own should pass, too."""

MAX_HISTORY_FACES = 1 << 18
"""More than the SDK's rows can hold, in half a message of the usual size; as values they take half a kilobyte each."""

_MAX_HISTORY_TRACKS = 4096
"""Alive at a time. Every row that is learnt takes time for each of them."""

_Message = TypeVar("_Message")
_Value = TypeVar("_Value")


async def first_message(message: Awaitable[_Message], name: str, *, limit_s: float, ending: asyncio.Event) -> _Message:
    """What a stream begins with; `name` is what callers know it by.

    Raises:
        DeadlineExceeded: it did not come within `limit_s` seconds.
        NotReady: `ending` was set before it came.
    """
    coming, told = asyncio.ensure_future(message), asyncio.ensure_future(ending.wait())
    try:
        await asyncio.wait((coming, told), timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if coming.done():
            return coming.result()
        if told.done():
            raise NotReady(f"streams were told to end, and of this one no {name} had come")
        raise DeadlineExceeded(f"no {name} came within {limit_s:g} s (upload_timeout_s)")
    finally:
        coming.cancel()
        told.cancel()
        await asyncio.gather(coming, told, return_exceptions=True)


async def beside_loop(history: Sized, work: Callable[[], _Value]) -> _Value:
    """What `work` on the history gives or raises; thousands of rows take most of a second, in which others are served.

    Without a history no thread is waited for: streams that bring one keep up each other alone.
    """
    return await asyncio.to_thread(work) if len(history) else work()


def check_history(history: Sequence[FrameOutcome]) -> None:
    """Whether the rows can be learnt in seconds.

    Raises:
        InvalidOption: too many tracks are alive at a time.
    """
    newest: dict[int, int] = {}
    for row in history:
        now = row.media_time_us
        if now is None or not isinstance(row.result, FrameAnalysis):
            continue
        newest.update((face.track_id, now) for face in row.result.faces if face.track_id is not None)
        if len(newest) > _MAX_HISTORY_TRACKS:
            newest = {number: seen for number, seen in newest.items() if now - seen <= 1e6 * MEMORY_S}
        if len(newest) > _MAX_HISTORY_TRACKS:
            raise InvalidOption(
                f"history: {len(newest)} tracks within {MEMORY_S:g} s, there may be {_MAX_HISTORY_TRACKS}"
            )


def start_stream(config: StreamConfig, analyzer: Analyzer, *, credits: int) -> StreamStarted:
    """Check a configuration and say what is in force.

    Raises:
        FacedError: what is wrong with it.
    """
    analyzer.require_ready()
    for name in ("max_frame_age", "frame_deadline", "smoothing_half_life"):
        seconds: float | None = getattr(config, name)
        if seconds is not None and not seconds > 0:
            raise InvalidOption(f"{name} is {seconds:g} s, must be above 0")
    scan_interval = 1 if config.scan_interval is None else config.scan_interval
    if not 1 <= scan_interval <= MAX_SCAN_INTERVAL:
        raise InvalidOption(f"scan_interval is {scan_interval}, must be 1 to {MAX_SCAN_INTERVAL}")
    half_life = config.smoothing_half_life
    if half_life is not None and not config.track:
        raise InvalidOption("smoothing_half_life needs track")
    if half_life is not None and half_life > MAX_HALF_LIFE_S:
        raise InvalidOption(f"smoothing_half_life is {half_life:g} s, must be at most {MAX_HALF_LIFE_S:g}")
    checked = analyzer.check(config.options)
    neither = checked.upsample_times is None and checked.min_face_px is None
    effective = replace(
        config,
        options=AnalysisOptions(
            upsample_times=STREAM_AUTO_UPSAMPLE if neither else checked.upsample_times,
            min_face_px=checked.min_face_px,
            threshold=checked.threshold,
            max_faces=checked.max_faces,
            attributes=checked.attributes,
            include_labels=bool(config.options.include_labels),
            include_landmarks=checked.include_landmarks,
        ),
        scan_interval=1 if analyzer.scans_in_full else scan_interval,
        track=bool(config.track),
        history=(),
    )
    return StreamStarted(
        stream_id=uuid4().hex,
        max_in_flight=credits,
        config=effective,
        models=tuple(info for info in analyzer.info().models if info.attribute in checked.attributes),
        ignored=("history",) if config.history and not config.track else (),
        history_span=history_span(half_life) if config.track else None,
    )
