"""Analyses as JSON values: the schema of `--json` and `--jsonl`. Pure."""

from __future__ import annotations

import json

import numpy as np

from faced_cli.terminal import whole_text
from faced_proto.types import (
    AttributeFailure,
    AttributeOutcome,
    Distribution,
    FaceAnalysis,
    FrameAnalysis,
    FrameFailure,
    FrameOutcome,
    IntegerBins,
    Timing,
    Withheld,
)

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
JsonObject = dict[str, JsonValue]


def analysis_object(source: str, analysis: FrameAnalysis) -> JsonObject:
    """The object of one picture."""
    return {"source": whole_text(source), **_analysis_fields(analysis)}


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
    return {**_frame_head(source, frame, time_s), **_analysis_fields(analysis)}


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


def shortest(value: float) -> float:
    """The double that prints as the shortest decimal of `value` as float32: 0.1 stays 0.1."""
    return float(str(np.float32(value)))


def _frame_head(source: str, frame: int, time_s: float) -> JsonObject:
    return {"source": whole_text(source), "frame": frame, "time_s": round(time_s, 6)}


def _analysis_fields(analysis: FrameAnalysis) -> JsonObject:
    return {
        "width": analysis.width,
        "height": analysis.height,
        "applied_scale": shortest(analysis.applied_scale),
        "min_detectable_px": shortest(analysis.min_detectable_px),
        "faces": [_face(face) for face in analysis.faces],
        "device": analysis.engine.device,
        "backend": analysis.engine.backend,
        "rotation": analysis.rotation.value,
        "full_scan": analysis.full_scan,
        "timing_ms": _timing(analysis.timing),
    }


def _face(face: FaceAnalysis) -> JsonObject:
    box = face.detection.box
    raw = {distribution.attribute: distribution for distribution in face.raw}
    return {
        "box": {
            "left": shortest(box.left),
            "top": shortest(box.top),
            "right": shortest(box.right),
            "bottom": shortest(box.bottom),
        },
        "score": shortest(face.detection.score),
        "landmarks": [[shortest(point.x), shortest(point.y)] for point in face.landmarks],
        "attributes": {outcome.attribute: _outcome(outcome, raw.get(outcome.attribute)) for outcome in face.attributes},
        "track_id": face.track_id,
    }


def _outcome(outcome: AttributeOutcome, raw: Distribution | None) -> JsonObject:
    if isinstance(outcome, Withheld):
        return {"withheld": outcome.reason.value}
    if isinstance(outcome, AttributeFailure):
        return {"error": outcome.reason.value}
    shown = _distribution(outcome)
    if raw is not None:
        shown["raw"] = _distribution(raw)
    return shown


def _distribution(distribution: Distribution) -> JsonObject:
    probabilities: JsonObject = {label: shortest(p) for label, p in distribution.as_dict().items()}
    if isinstance(distribution.axis, IntegerBins):
        low, high = distribution.interval(0.9)
        return {
            "years" if distribution.attribute == "age" else "expectation": shortest(distribution.expectation()),
            "probabilities": probabilities,
            "interval_90": [low, high],
        }
    return {"label": distribution.top[0], "probabilities": probabilities}


def _timing(timing: Timing) -> JsonObject:
    return {
        "decode": timing.decode_us / 1000,
        "queue": timing.queue_us / 1000,
        "detect": timing.detect_us / 1000,
        "align": timing.align_us / 1000,
        "describe": timing.describe_us / 1000,
        "total": timing.total_us / 1000,
    }
