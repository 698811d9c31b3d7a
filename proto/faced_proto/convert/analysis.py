"""The result of one picture."""

from collections.abc import Mapping

from faced_proto.convert.enums import enum_from_proto, enum_to_proto, rotation_from_proto, rotation_to_proto
from faced_proto.convert.errors import ConvertError
from faced_proto.convert.faces import face_from_proto, face_to_proto
from faced_proto.convert.options import effective_options_from_proto, effective_options_to_proto
from faced_proto.types import Axis, Engine, FrameAnalysis, Precision, Timing
from faced_proto.v1 import analysis_pb2

_TIMES = ("decode_us", "queue_us", "detect_us", "align_us", "describe_us", "total_us")


def engine_to_proto(engine: Engine) -> analysis_pb2.Engine:
    """What ran."""
    return analysis_pb2.Engine(
        device=engine.device,
        backend=engine.backend,
        precision=enum_to_proto(engine.precision),
        detector_model_id=engine.detector_model,
    )


def engine_from_proto(message: analysis_pb2.Engine, path: str = "engine") -> Engine:
    """What ran.

    Raises:
        ConvertError: the precision is unset or unknown.
    """
    return Engine(
        device=message.device,
        backend=message.backend,
        precision=enum_from_proto(Precision, message.precision, f"{path}.precision"),
        detector_model=message.detector_model_id,
    )


def timing_to_proto(timing: Timing) -> analysis_pb2.Timing:
    """Microseconds."""
    return analysis_pb2.Timing(**{field: getattr(timing, field) for field in _TIMES})


def timing_from_proto(message: analysis_pb2.Timing) -> Timing:
    """Microseconds; what the server did not measure is 0."""
    return Timing(**{field: getattr(message, field) for field in _TIMES})


def frame_analysis_to_proto(
    analysis: FrameAnalysis, *, include_labels: bool, include_landmarks: bool
) -> analysis_pb2.FrameAnalysis:
    """`include_labels` sends the axis with each distribution.

    Raises:
        ConvertError: a face's `raw` has a distribution of an attribute that is not in its `attributes`.
    """
    faces = [
        face_to_proto(
            face, include_labels=include_labels, include_landmarks=include_landmarks, path=f"analysis.faces[{i}]"
        )
        for i, face in enumerate(analysis.faces)
    ]
    return analysis_pb2.FrameAnalysis(
        width=analysis.width,
        height=analysis.height,
        rotation=rotation_to_proto(analysis.rotation),
        faces=faces,
        applied_scale=analysis.applied_scale,
        min_detectable_px=analysis.min_detectable_px,
        options=effective_options_to_proto(analysis.options),
        full_scan=analysis.full_scan,
        engine=engine_to_proto(analysis.engine),
        timing=timing_to_proto(analysis.timing),
        thumbnail=analysis.thumbnail,
    )


def frame_analysis_from_proto(
    message: analysis_pb2.FrameAnalysis, axes: Mapping[str, Axis], path: str = "analysis"
) -> FrameAnalysis:
    """`axes`, by attribute, are those of distributions that carry none.

    Raises:
        ConvertError: options, engine, a box or an axis is missing, or something is unknown here.
    """
    for part in ("options", "engine"):
        if not message.HasField(part):
            raise ConvertError(f"{path}.{part}", "missing")
    return FrameAnalysis(
        width=message.width,
        height=message.height,
        rotation=rotation_from_proto(message.rotation, f"{path}.rotation"),
        faces=tuple(face_from_proto(face, axes, f"{path}.faces[{i}]") for i, face in enumerate(message.faces)),
        applied_scale=message.applied_scale,
        min_detectable_px=message.min_detectable_px,
        options=effective_options_from_proto(message.options),
        full_scan=message.full_scan,
        engine=engine_from_proto(message.engine, f"{path}.engine"),
        timing=timing_from_proto(message.timing),
        thumbnail=message.thumbnail,
    )
