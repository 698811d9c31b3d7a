"""Analyses with where they come from, as JSON: the lines of `--json` and `--jsonl`. Pure."""

from __future__ import annotations

import json

from faced_cli.terminal import whole_text
from faced_proto.json_values import JsonObject, analysis_fields
from faced_proto.types import FrameAnalysis, FrameFailure, FrameOutcome


def analysis_object(source: str, analysis: FrameAnalysis) -> JsonObject:
    """The object of one picture."""
    return {"source": whole_text(source), **analysis_fields(analysis)}


def outcome_object(source: str, frame: int, time_s: float, outcome: FrameOutcome) -> JsonObject:
    """The row of one frame of a video or a camera, whatever became of it; `time_s` is its time in seconds."""
    match outcome.result:
        case FrameAnalysis():
            return frame_object(source, frame, time_s, outcome.result)
        case FrameFailure(reason, message):
            return frame_error_object(source, frame, time_s, reason.value, message)
        case dropped:
            return frame_dropped_object(source, frame, time_s, dropped.reason.value)


def frame_object(source: str, frame: int, time_s: float, analysis: FrameAnalysis) -> JsonObject:
    """The row of one frame of a video; `frame` counts from 0, `time_s` is the frame's time in seconds."""
    return {**_frame_head(source, frame, time_s), **analysis_fields(analysis)}


def error_object(source: str, reason: str, message: str) -> JsonObject:
    """The object of a picture that could not be analysed."""
    return {"source": whole_text(source), "error": reason, "message": whole_text(message)}


def frame_error_object(source: str, frame: int, time_s: float, reason: str, message: str) -> JsonObject:
    """The row of a frame that failed."""
    return {**_frame_head(source, frame, time_s), "error": reason, "message": whole_text(message)}


def frame_dropped_object(source: str, frame: int, time_s: float, reason: str) -> JsonObject:
    """The row of a frame that the server did not look at."""
    return {**_frame_head(source, frame, time_s), "dropped": reason}


def json_line(value: JsonObject) -> str:
    """One line without its end; strict JSON in ASCII, so that any terminal, pipe and file name can carry it.

    Raises:
        ValueError: a number is not finite.
    """
    return json.dumps(value, allow_nan=False)


def _frame_head(source: str, frame: int, time_s: float) -> JsonObject:
    return {"source": whole_text(source), "frame": frame, "time_s": round(time_s, 6)}
