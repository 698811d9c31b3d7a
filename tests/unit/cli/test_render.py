import json

import numpy as np
import pytest

from faced_cli.render import analysis_object, error_object, frame_object, json_line
from faced_proto.json_values import shortest
from faced_proto.types import AttributeFailure, ErrorReason, FaceAnalysis


def test_schema_is_exactly_the_contract(analysis, face):
    shown = json.loads(json_line(analysis_object("a b/\u00e4.jpg", analysis(640, 480, face(10, 20, 110, 120)))))
    assert list(shown) == [
        "source", "width", "height", "applied_scale", "min_detectable_px", "faces",
        "device", "backend", "rotation", "full_scan", "timing_ms",
    ]  # fmt: skip
    assert shown["source"] == "a b/\u00e4.jpg"
    assert (shown["width"], shown["height"], shown["rotation"], shown["full_scan"]) == (640, 480, 0, True)
    (one,) = shown["faces"]
    assert list(one) == ["box", "score", "landmarks", "attributes", "track_id"]
    assert one["box"] == {"left": 10, "top": 20, "right": 110, "bottom": 120}
    assert one["landmarks"] == [[30, 60], [48, 60], [90, 60], [72, 60], [60, 85]]
    assert one["track_id"] is None
    assert list(one["attributes"]) == ["emotion", "gender", "age", "age_group"]
    assert set(one["attributes"]["emotion"]) == {"label", "probabilities"}
    assert one["attributes"]["emotion"]["label"] == "happy"
    assert one["attributes"]["gender"] == {"withheld": "may_be_minor"}
    age = one["attributes"]["age"]
    assert set(age) == {"years", "probabilities", "interval_90"}
    assert age["years"] == pytest.approx(34, abs=0.01)
    assert age["interval_90"] == [24, 44]
    assert list(age["probabilities"])[::80] == ["0", "80+"]
    assert one["attributes"]["age_group"]["label"] == "23-35"
    assert shown["timing_ms"] == {
        "decode": 1.25, "queue": 0.0, "detect": 39.0, "align": 0.7, "describe": 2.3, "total": 44.321,
    }  # fmt: skip


def test_frame_rows_add_number_and_time(analysis):
    row = frame_object("v.mp4", 7, 0.28, analysis(64, 48))
    assert list(row)[:3] == ["source", "frame", "time_s"]
    assert (row["frame"], row["time_s"], row["faces"]) == (7, 0.28, [])


@pytest.mark.parametrize("text", ["0.1", "0.9992689", "1e-07", "3.773339e-11", "16777216.0", "0.0"])
def test_float32_values_print_as_their_shortest_decimal(text):
    assert json.dumps(shortest(float(np.float32(float(text))))) == text


def test_shortest_decimal_is_the_same_float32():
    values = np.random.default_rng(3).random(2000, dtype=np.float32)
    assert all(np.float32(json.loads(json.dumps(shortest(float(v))))) == v for v in values)


def test_failed_attribute_and_smoothed_value(analysis, face, distribution):
    plain = face(0, 0, 80, 80)
    smooth = distribution("emotion", ("sad", "happy"), (0.25, 0.75))
    raw = distribution("emotion", ("sad", "happy"), (0.5, 0.5))
    failed = AttributeFailure("age", ErrorReason.MODEL_FAILED, "age: out of memory")
    one = FaceAnalysis(plain.detection, (), (smooth, failed), 3, (raw,))
    attributes = analysis_object("x", analysis(80, 80, one))["faces"][0]["attributes"]
    assert attributes["age"] == {"error": "model_failed"}
    assert attributes["emotion"]["probabilities"] == {"sad": 0.25, "happy": 0.75}
    assert attributes["emotion"]["raw"] == {"label": "sad", "probabilities": {"sad": 0.5, "happy": 0.5}}


def test_failed_picture_says_why():
    assert error_object("x.jpg", "image_truncated", "x.jpg: ends early")["error"] == "image_truncated"


def test_not_a_number_never_becomes_invalid_json():
    with pytest.raises(ValueError, match="JSON compliant"):
        json_line({"score": float("nan")})
