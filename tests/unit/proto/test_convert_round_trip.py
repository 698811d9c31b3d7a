"""Whatever the values can say crosses the wire's bytes unchanged."""

from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from faced_proto import convert, types
from faced_proto.v1 import analysis_pb2, options_pb2, service_pb2

ATTRIBUTES = ("emotion", "gender", "age", "age_group", "mask")
floats = st.floats(width=32, allow_nan=False)
uint32 = st.integers(0, 2**32 - 1)
uint64 = st.integers(0, 2**64 - 1)
positive = st.integers(1, 2**32 - 1)
int64 = st.integers(-(2**63), 2**63 - 1)
text = st.text(max_size=8)
booleans = st.booleans()
# Microseconds, so that seconds as a float and nanoseconds as an integer are the same number.
seconds = st.integers(0, 10**9).map(lambda us: us / 1_000_000)

axes = st.one_of(
    st.builds(types.Categories, labels=st.lists(text, min_size=1, max_size=5).map(tuple)),
    st.builds(
        types.IntegerBins,
        first=st.integers(-100, 100),
        width=st.integers(1, 10),
        last_open=booleans,
        count=st.integers(1, 6),
    ),
)


@st.composite
def distributions(draw, attribute):
    axis = draw(axes)
    probabilities = draw(st.lists(floats, min_size=len(axis), max_size=len(axis)))
    return types.Distribution(attribute, axis, tuple(probabilities), draw(text), draw(booleans))


@st.composite
def faces(draw):
    names = draw(st.lists(st.sampled_from(ATTRIBUTES), unique=True, max_size=3))
    outcomes, raw = [], []
    for name in names:
        kind = draw(st.sampled_from(("distribution", "withheld", "failure")))
        if kind == "distribution":
            outcomes.append(draw(distributions(name)))
            if draw(booleans):
                raw.append(draw(distributions(name)))
        elif kind == "withheld":
            outcomes.append(types.Withheld(name, draw(st.sampled_from(types.WithheldReason)), draw(text)))
        else:
            outcomes.append(types.AttributeFailure(name, draw(st.sampled_from(types.ErrorReason)), draw(text)))
    return types.FaceAnalysis(
        detection=types.Detection(types.Box(*(draw(floats) for _ in range(4))), draw(floats)),
        landmarks=tuple(draw(st.lists(landmarks, max_size=5))),
        attributes=tuple(outcomes),
        track_id=draw(st.none() | uint64),
        raw=tuple(raw),
    )


landmarks = st.builds(types.Landmark, type=st.sampled_from(types.LandmarkType), x=floats, y=floats)
engines = st.builds(
    types.Engine, device=text, backend=text, precision=st.sampled_from(types.Precision), detector_model=text
)
analyses = st.builds(
    types.FrameAnalysis,
    width=uint32,
    height=uint32,
    rotation=st.sampled_from(types.Rotation),
    faces=st.lists(faces(), max_size=2).map(tuple),
    applied_scale=floats,
    min_detectable_px=floats,
    options=st.builds(
        types.EffectiveOptions,
        upsample_times=uint32,
        threshold=floats,
        max_faces=st.none() | positive,
        attributes=st.lists(text, max_size=3).map(tuple),
    ),
    full_scan=booleans,
    engine=engines,
    timing=st.builds(types.Timing, *[uint64] * 6),
    thumbnail=st.binary(max_size=192),
)
failures = st.builds(types.FrameFailure, reason=st.sampled_from(types.ErrorReason), message=text)
drops = st.builds(types.FrameDropped, reason=st.sampled_from(types.DropReason))
outcomes = st.builds(
    types.FrameOutcome,
    frame_id=uint64,
    media_time_us=st.none() | int64,
    result=st.one_of(analyses, failures, drops),
)


@st.composite
def options(draw):
    scale = draw(st.sampled_from(("upsample_times", "min_face_px", None)))
    return types.AnalysisOptions(
        **({scale: draw(uint32)} if scale else {}),
        threshold=draw(st.none() | floats),
        max_faces=draw(st.none() | uint32),
        attributes=draw(st.none() | st.lists(text, max_size=3).map(tuple)),
        include_labels=draw(st.none() | booleans),
        include_landmarks=draw(st.none() | booleans),
    )


configs = st.builds(
    types.StreamConfig,
    mode=st.sampled_from(types.StreamMode),
    options=options(),
    max_frame_age=st.none() | seconds,
    scan_interval=st.none() | uint32,
    track=st.none() | booleans,
    smoothing_half_life=st.none() | seconds,
    history=st.lists(outcomes, max_size=2).map(tuple),
    frame_deadline=st.none() | seconds,
)
models = st.builds(
    types.ModelInfo,
    model=text,
    role=st.sampled_from(types.ModelRole),
    attribute=text,
    axis=st.none() | axes,
    calibrated=booleans,
    licence=text,
    input_size=uint32,
)
several_models = st.lists(models, max_size=3).map(tuple)
several_texts = st.lists(text, max_size=3).map(tuple)


def over_the_wire(message):
    return type(message).FromString(message.SerializeToString())


@settings(max_examples=60)
@given(analyses)
def test_analysis_with_labels(analysis):
    message = convert.frame_analysis_to_proto(analysis, include_labels=True, include_landmarks=True)
    assert convert.frame_analysis_from_proto(over_the_wire(message), {}) == analysis


@settings(max_examples=30)
@given(outcomes)
def test_outcome(outcome):
    message = convert.frame_outcome_to_proto(outcome, include_labels=True, include_landmarks=True)
    assert convert.frame_outcome_from_proto(over_the_wire(message), {}) == outcome


@given(options())
def test_options(value):
    message = over_the_wire(convert.analysis_options_to_proto(value))
    assert isinstance(message, options_pb2.AnalysisOptions)
    assert convert.analysis_options_from_proto(message) == value


@settings(max_examples=30)
@given(configs)
def test_stream_config(config):
    message = over_the_wire(convert.stream_config_to_proto(config))
    assert isinstance(message, service_pb2.StreamConfig)
    assert convert.stream_config_from_proto(message, {}) == config


@settings(max_examples=30)
@given(st.builds(types.StreamStarted, text, positive, configs, several_models, several_texts))
def test_stream_started(started):
    message = over_the_wire(convert.stream_started_to_proto(started))
    assert convert.stream_started_from_proto(message) == started


@given(
    st.builds(
        types.ServerInfo,
        version=text,
        engine=engines,
        models=several_models,
        attributes=several_texts,
        limits=st.builds(types.Limits, *[uint64] * 4),
        notices=several_texts,
    )
)
def test_server_info(info):
    message = over_the_wire(convert.server_info_to_proto(info))
    assert convert.server_info_from_proto(message) == info


@given(seconds)
def test_durations_keep_microseconds(value):
    assert convert.duration_from_proto(over_the_wire(convert.duration_to_proto(value))) == value


@given(st.binary(max_size=200))
def test_bytes_that_parse_are_read_or_refused_with_a_path(data):
    try:
        message = analysis_pb2.FrameAnalysis.FromString(data)
    except DecodeError:
        return
    try:
        analysis = convert.frame_analysis_from_proto(message, {})
    except convert.ConvertError as error:
        assert error.path.startswith("analysis.")  # noqa: PT017
    else:
        assert isinstance(analysis, types.FrameAnalysis)
