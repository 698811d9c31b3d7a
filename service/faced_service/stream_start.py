"""How a stream begins: its configuration checked, and what of it is in force."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from faced_proto.types import AnalysisOptions, StreamConfig, StreamStarted
from faced_service.analysis_request import STREAM_AUTO_UPSAMPLE
from faced_service.analyzer import Analyzer
from faced_service.errors import InvalidOption
from faced_service.live_scan import MAX_SCAN_INTERVAL
from faced_service.stream_tracks import MAX_HALF_LIFE_S, history_span


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
