"""Streams: their configuration, its answer and the outcomes of frames."""

from collections.abc import Mapping

from faced_proto.convert.analysis import frame_analysis_from_proto, frame_analysis_to_proto
from faced_proto.convert.enums import enum_from_proto, enum_to_proto, error_reason_from_proto, error_reason_to_proto
from faced_proto.convert.errors import ConvertError
from faced_proto.convert.options import analysis_options_from_proto, analysis_options_to_proto
from faced_proto.convert.scalars import duration_from_proto, duration_to_proto, fitting
from faced_proto.convert.server import model_info_from_proto, model_info_to_proto
from faced_proto.types import (
    Axis,
    DropReason,
    FrameAnalysis,
    FrameDropped,
    FrameFailure,
    FrameOutcome,
    StreamConfig,
    StreamMode,
    StreamStarted,
)
from faced_proto.v1 import service_pb2

_DURATIONS = ("max_frame_age", "smoothing_half_life", "frame_deadline")


def stream_config_to_proto(config: StreamConfig) -> service_pb2.StreamConfig:
    """None stays unset. The distributions of the history carry their axes, so that they can be read by themselves.

    Raises:
        ConvertError: a number does not fit its field.
    """
    message = service_pb2.StreamConfig(
        mode=enum_to_proto(config.mode),
        options=analysis_options_to_proto(config.options),
        history=[frame_outcome_to_proto(row, include_labels=True, include_landmarks=True) for row in config.history],
    )
    if config.scan_interval is not None:
        with fitting("scan_interval"):
            message.scan_interval = config.scan_interval
    if config.track is not None:
        message.track = config.track
    for field in _DURATIONS:
        seconds = getattr(config, field)
        if seconds is not None:
            getattr(message, field).CopyFrom(duration_to_proto(seconds, field))
    return message


def stream_config_from_proto(
    message: service_pb2.StreamConfig, axes: Mapping[str, Axis], path: str = "config"
) -> StreamConfig:
    """Unset becomes None, an unset mode every frame. `axes` are those of distributions of the history without one.

    Raises:
        ConvertError: the mode is unknown, a duration is no valid one, or a row of the history is not whole.
    """
    mode = message.mode
    times = {
        field: duration_from_proto(getattr(message, field), field) for field in _DURATIONS if message.HasField(field)
    }
    return StreamConfig(
        mode=enum_from_proto(StreamMode, mode, f"{path}.mode") if mode else StreamMode.EVERY_FRAME,
        options=analysis_options_from_proto(message.options),
        history=tuple(
            frame_outcome_from_proto(row, axes, f"{path}.history[{i}]") for i, row in enumerate(message.history)
        ),
        max_frame_age=times.get("max_frame_age"),
        scan_interval=message.scan_interval if message.HasField("scan_interval") else None,
        track=message.track if message.HasField("track") else None,
        smoothing_half_life=times.get("smoothing_half_life"),
        frame_deadline=times.get("frame_deadline"),
    )


def stream_started_to_proto(started: StreamStarted) -> service_pb2.StreamStarted:
    """The answer to a configuration.

    Raises:
        ConvertError: a number does not fit its field.
    """
    span = started.history_span
    return service_pb2.StreamStarted(
        stream_id=started.stream_id,
        max_in_flight=started.max_in_flight,
        effective_config=stream_config_to_proto(started.config),
        models=[model_info_to_proto(model) for model in started.models],
        ignored=started.ignored,
        history_span=None if span is None else duration_to_proto(span, "history_span"),
    )


def stream_started_from_proto(message: service_pb2.StreamStarted, path: str = "started") -> StreamStarted:
    """The answer to a configuration.

    Raises:
        ConvertError: no credits are given, the configuration is missing, or something is unknown here.
    """
    if message.max_in_flight == 0:
        raise ConvertError(f"{path}.max_in_flight", "0: no frame could ever be sent")
    if not message.HasField("effective_config"):
        raise ConvertError(f"{path}.effective_config", "missing")
    return StreamStarted(
        stream_id=message.stream_id,
        max_in_flight=message.max_in_flight,
        config=stream_config_from_proto(message.effective_config, {}, f"{path}.effective_config"),
        models=tuple(model_info_from_proto(model, f"{path}.models[{i}]") for i, model in enumerate(message.models)),
        ignored=tuple(message.ignored),
        history_span=duration_from_proto(message.history_span, f"{path}.history_span")
        if message.HasField("history_span")
        else None,
    )


def frame_outcome_to_proto(
    outcome: FrameOutcome, *, include_labels: bool, include_landmarks: bool
) -> service_pb2.FrameOutcome:
    """An analysis, a failure or a drop."""
    frame_id, time, result = outcome.frame_id, outcome.media_time_us, outcome.result
    if isinstance(result, FrameAnalysis):
        analysis = frame_analysis_to_proto(result, include_labels=include_labels, include_landmarks=include_landmarks)
        return service_pb2.FrameOutcome(frame_id=frame_id, media_time_us=time, analysis=analysis)
    if isinstance(result, FrameFailure):
        error = service_pb2.FrameError(reason=error_reason_to_proto(result.reason), message=result.message)
        return service_pb2.FrameOutcome(frame_id=frame_id, media_time_us=time, error=error)
    dropped = service_pb2.Dropped(reason=enum_to_proto(result.reason))
    return service_pb2.FrameOutcome(frame_id=frame_id, media_time_us=time, dropped=dropped)


def frame_outcome_from_proto(
    message: service_pb2.FrameOutcome, axes: Mapping[str, Axis], path: str = "outcome"
) -> FrameOutcome:
    """An analysis, a failure or a drop.

    Raises:
        ConvertError: none of them is set, or its content is not whole or unknown here.
    """
    kind = message.WhichOneof("outcome")
    result: FrameAnalysis | FrameFailure | FrameDropped
    if kind == "analysis":
        result = frame_analysis_from_proto(message.analysis, axes, f"{path}.analysis")
    elif kind == "error":
        reason = error_reason_from_proto(message.error.reason, f"{path}.error.reason")
        result = FrameFailure(reason, message.error.message)
    elif kind == "dropped":
        result = FrameDropped(enum_from_proto(DropReason, message.dropped.reason, f"{path}.dropped.reason"))
    else:
        raise ConvertError(path, f"frame {message.frame_id} has no outcome")
    media_time_us = message.media_time_us if message.HasField("media_time_us") else None
    return FrameOutcome(frame_id=message.frame_id, media_time_us=media_time_us, result=result)
