"""Analyses as JSON values: the schema of `faced-cli --json`, of `POST /v1/analyze` and of the camera socket. Pure."""

from __future__ import annotations

import numpy as np

from faced_proto.types import (
    AttributeFailure,
    AttributeOutcome,
    Distribution,
    FaceAnalysis,
    FrameAnalysis,
    IntegerBins,
    Timing,
    Withheld,
)

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
JsonObject = dict[str, JsonValue]


def shortest(value: float) -> float:
    """The double that prints as the shortest decimal of `value` as float32: 0.1 stays 0.1."""
    return float(str(np.float32(value)))


def analysis_fields(analysis: FrameAnalysis, *, landmarks: bool = True) -> JsonObject:
    """What is said about one picture; without `landmarks` there are none."""
    return {
        "width": analysis.width,
        "height": analysis.height,
        "applied_scale": shortest(analysis.applied_scale),
        "min_detectable_px": shortest(analysis.min_detectable_px),
        "faces": [_face(face, landmarks) for face in analysis.faces],
        "device": analysis.engine.device,
        "backend": analysis.engine.backend,
        "rotation": analysis.rotation.value,
        "full_scan": analysis.full_scan,
        "timing_ms": _timing(analysis.timing),
    }


def _face(face: FaceAnalysis, landmarks: bool) -> JsonObject:
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
        "landmarks": [[shortest(point.x), shortest(point.y)] for point in face.landmarks if landmarks],
        "attributes": {outcome.attribute: _outcome(outcome, raw.get(outcome.attribute)) for outcome in face.attributes},
        "track_id": face.track_id,
        # The package's own detector has no labels: its JSON stays as it is.
        **({"label": face.detection.label} if face.detection.label else {}),
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
