"""What cannot cross is refused with the path of its field; what is left out is filled in as promised."""

import math

import pytest

from faced_proto import convert
from faced_proto.types import (
    AnalysisOptions,
    Axis,
    Box,
    Categories,
    Detection,
    Distribution,
    EffectiveOptions,
    Engine,
    FaceAnalysis,
    FrameAnalysis,
    IntegerBins,
    Landmark,
    LandmarkType,
    ModelInfo,
    ModelRole,
    Precision,
    Rotation,
    StreamConfig,
    StreamMode,
    Timing,
)
from faced_proto.v1 import analysis_pb2, face_pb2, options_pb2, service_pb2

GENDER = Categories(("female", "male"))
AGE = IntegerBins(first=0, width=1, last_open=True, count=3)
AXES: dict[str, Axis] = {"gender": GENDER, "age": AGE}


def analysis(**face: object) -> FrameAnalysis:
    parts = {
        "detection": Detection(Box(1, 2, 3, 4), 0.5),
        "landmarks": (Landmark(LandmarkType.NOSE_BASE, 2.5, 3.5),),
        "attributes": (
            Distribution("gender", GENDER, (0.25, 0.75), "g@1", False),
            Distribution("age", AGE, (0.5, 0.25, 0.25), "a@1", False),
        ),
    }
    return FrameAnalysis(
        width=640,
        height=480,
        rotation=Rotation.QUARTER,
        faces=(FaceAnalysis(**{**parts, **face}),),
        applied_scale=2.0,
        min_detectable_px=20.0,
        options=EffectiveOptions(1, 0.0, None, ("gender", "age")),
        full_scan=True,
        engine=Engine("cpu", "onnxruntime", Precision.EXACT, "mmod@1"),
        timing=Timing(total_us=5),
    )


def message(**flags: bool) -> analysis_pb2.FrameAnalysis:
    return convert.frame_analysis_to_proto(analysis(), **{"include_labels": True, "include_landmarks": True, **flags})


def test_axes_stand_in_for_labels_that_were_not_sent():
    short = message(include_labels=False)
    assert not short.faces[0].attributes[0].distribution.HasField("axis")
    assert len(short.SerializeToString()) < len(message().SerializeToString())
    assert convert.frame_analysis_from_proto(short, AXES) == analysis()


def test_an_inline_axis_wins_over_the_known_one():
    other = {"gender": Categories(("a", "b")), "age": AGE}
    face = convert.frame_analysis_from_proto(message(), other).faces[0]
    assert face["gender"].labels == ("female", "male")


def test_landmarks_are_left_out_on_request():
    assert convert.frame_analysis_from_proto(message(include_landmarks=False), {}).faces[0].landmarks == ()


def test_axes_of_models_without_an_axis_are_left_out():
    detector = ModelInfo("mmod@1", ModelRole.DETECTOR, "", None, False, "CC0-1.0", 0)
    gender = ModelInfo("g@1", ModelRole.ATTRIBUTE, "gender", GENDER, False, "MIT", 64)
    assert convert.axes_of([detector, gender]) == {"gender": GENDER}


def clear(part):
    def change(m):
        m.ClearField(part)

    return change


def clear_box(m):
    m.faces[0].ClearField("box")


def clear_outcome(m):
    m.faces[0].attributes[1].ClearField("distribution")


def empty_axis(m):
    m.faces[0].attributes[0].distribution.axis.ClearField("categories")


def one_probability_more(m):
    m.faces[0].attributes[1].distribution.probabilities.append(0.0)


def unknown_landmark(m):
    m.faces[0].landmarks[0].type = 77


def unknown_rotation(m):
    m.rotation = 9


def unknown_precision(m):
    m.engine.precision = 0


def unknown_withheld(m):
    m.faces[0].attributes[0].withheld.reason = 12


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (clear("options"), "analysis.options"),
        (clear("engine"), "analysis.engine"),
        (clear_box, "analysis.faces[0].box"),
        (clear_outcome, "analysis.faces[0].attributes[1]"),
        (empty_axis, "analysis.faces[0].attributes[0].distribution.axis"),
        (one_probability_more, "analysis.faces[0].attributes[1].distribution.probabilities"),
        (unknown_landmark, "analysis.faces[0].landmarks[0].type"),
        (unknown_rotation, "analysis.rotation"),
        (unknown_precision, "analysis.engine.precision"),
        (unknown_withheld, "analysis.faces[0].attributes[0].withheld.reason"),
    ],
)
def test_a_broken_analysis_is_refused_by_path(change, path):
    broken = message()
    change(broken)
    with pytest.raises(convert.ConvertError) as caught:
        convert.frame_analysis_from_proto(broken, {})
    assert caught.value.path == path


def test_a_distribution_without_any_axis_is_refused():
    with pytest.raises(convert.ConvertError, match="no axis is known for 'gender'") as caught:
        convert.frame_analysis_from_proto(message(include_labels=False), {"age": AGE})
    assert caught.value.path == "analysis.faces[0].attributes[0].distribution.axis"


def test_a_huge_axis_costs_nothing_before_it_is_refused():
    bins = face_pb2.IntegerBins(first=0, width=1, count=2**32 - 1)
    huge = face_pb2.Distribution(probabilities=[1.0], axis=face_pb2.Axis(integer_bins=bins))
    with pytest.raises(convert.ConvertError, match="1 values on an axis of 4294967295"):
        convert.distribution_from_proto(huge, "age", {})


def test_raw_values_belong_to_an_attribute():
    stray = analysis(raw=(Distribution("mask", GENDER, (0.5, 0.5), "m@1", False),))
    with pytest.raises(convert.ConvertError, match=r"analysis\.faces\[0\]\.raw: not among the attributes: mask"):
        convert.frame_analysis_to_proto(stray, include_labels=True, include_landmarks=True)


@pytest.mark.parametrize(
    ("options", "path"),
    [
        (AnalysisOptions(upsample_times=-1), "upsample_times"),
        (AnalysisOptions(min_face_px=2**32), "min_face_px"),
        (AnalysisOptions(max_faces=-3), "max_faces"),
        (AnalysisOptions(upsample_times=1, min_face_px=20), "upsample_times"),
        (AnalysisOptions(attributes=("\ud800",)), "attributes"),
    ],
)
def test_options_that_do_not_fit_are_refused_by_name(options, path):
    with pytest.raises(convert.ConvertError) as caught:
        convert.analysis_options_to_proto(options)
    assert caught.value.path == path


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf, 1e30])
def test_durations_that_are_no_time_are_refused(seconds):
    with pytest.raises(convert.ConvertError) as caught:
        convert.stream_config_to_proto(StreamConfig(frame_deadline=seconds))
    assert caught.value.path == "frame_deadline"


def test_unset_options_are_none_and_an_empty_selection_is_not():
    assert convert.analysis_options_from_proto(options_pb2.AnalysisOptions()) == AnalysisOptions()
    none_wanted = convert.analysis_options_to_proto(AnalysisOptions(attributes=()))
    assert none_wanted.HasField("attributes")
    assert convert.analysis_options_from_proto(none_wanted).attributes == ()


def test_an_empty_stream_config_is_every_frame():
    assert convert.stream_config_from_proto(service_pb2.StreamConfig(), {}) == StreamConfig(mode=StreamMode.EVERY_FRAME)


def test_history_is_refused_by_row():
    config = service_pb2.StreamConfig(history=[service_pb2.FrameOutcome(frame_id=8)])
    with pytest.raises(convert.ConvertError, match=r"config\.history\[0\]: frame 8 has no outcome"):
        convert.stream_config_from_proto(config, {})


def test_a_stream_without_credits_or_configuration_is_refused():
    started = service_pb2.StreamStarted(effective_config=service_pb2.StreamConfig())
    with pytest.raises(convert.ConvertError, match=r"started\.max_in_flight"):
        convert.stream_started_from_proto(started)
    with pytest.raises(convert.ConvertError, match=r"started\.effective_config: missing"):
        convert.stream_started_from_proto(service_pb2.StreamStarted(max_in_flight=1))


def test_a_server_without_limits_is_refused():
    info = service_pb2.GetServerInfoResponse(engine=message().engine)
    with pytest.raises(convert.ConvertError, match=r"server_info\.limits: missing"):
        convert.server_info_from_proto(info)
