"""Faces, their attributes and the axes of distributions."""

from collections.abc import Mapping

from faced_proto.convert.enums import enum_from_proto, enum_to_proto, error_reason_from_proto, error_reason_to_proto
from faced_proto.convert.errors import ConvertError
from faced_proto.types import (
    AttributeFailure,
    AttributeOutcome,
    Axis,
    Box,
    Categories,
    Detection,
    Distribution,
    FaceAnalysis,
    IntegerBins,
    Landmark,
    LandmarkType,
    Withheld,
    WithheldReason,
)
from faced_proto.v1 import face_pb2


def axis_to_proto(axis: Axis) -> face_pb2.Axis:
    """Named classes or integer bins."""
    if isinstance(axis, Categories):
        return face_pb2.Axis(categories=face_pb2.Categories(labels=axis.labels))
    bins = face_pb2.IntegerBins(first=axis.first, width=axis.width, last_open=axis.last_open, count=axis.count)
    return face_pb2.Axis(integer_bins=bins)


def axis_from_proto(message: face_pb2.Axis, path: str = "axis") -> Axis:
    """Named classes or integer bins.

    Raises:
        ConvertError: neither.
    """
    kind = message.WhichOneof("kind")
    if kind == "categories":
        return Categories(labels=tuple(message.categories.labels))
    if kind == "integer_bins":
        bins = message.integer_bins
        return IntegerBins(first=bins.first, width=bins.width, last_open=bins.last_open, count=bins.count)
    raise ConvertError(path, "neither categories nor integer_bins is set")


def distribution_to_proto(distribution: Distribution, *, include_labels: bool) -> face_pb2.Distribution:
    """`include_labels` sends the axis along. The attribute's name stands in `AttributeResult`."""
    return face_pb2.Distribution(
        model_id=distribution.model,
        probabilities=distribution.probabilities,
        calibrated=distribution.calibrated,
        axis=axis_to_proto(distribution.axis) if include_labels else None,
    )


def distribution_from_proto(
    message: face_pb2.Distribution, attribute: str, axes: Mapping[str, Axis], path: str = "distribution"
) -> Distribution:
    """The message's own axis, else that of `axes` by attribute.

    Raises:
        ConvertError: no axis is known, or it has another number of entries than there are probabilities.
    """
    if message.HasField("axis"):
        axis = axis_from_proto(message.axis, f"{path}.axis")
    elif attribute in axes:
        axis = axes[attribute]
    else:
        raise ConvertError(f"{path}.axis", f"not set, and no axis is known for {attribute!r}")
    if len(message.probabilities) != len(axis):
        problem = f"{len(message.probabilities)} values on an axis of {len(axis)} ({message.model_id})"
        raise ConvertError(f"{path}.probabilities", problem)
    return Distribution(
        attribute=attribute,
        axis=axis,
        probabilities=tuple(message.probabilities),
        model=message.model_id,
        calibrated=message.calibrated,
    )


def attribute_to_proto(
    outcome: AttributeOutcome, raw: Distribution | None, *, include_labels: bool
) -> face_pb2.AttributeResult:
    """An attribute's outcome, and the frame's own value where the outcome is smoothed."""
    message: face_pb2.AttributeResult
    if isinstance(outcome, Distribution):
        distribution = distribution_to_proto(outcome, include_labels=include_labels)
        message = face_pb2.AttributeResult(attribute=outcome.attribute, distribution=distribution)
    elif isinstance(outcome, Withheld):
        withheld = face_pb2.Withheld(reason=enum_to_proto(outcome.reason), message=outcome.message)
        message = face_pb2.AttributeResult(attribute=outcome.attribute, withheld=withheld)
    else:
        error = {"reason": error_reason_to_proto(outcome.reason), "message": outcome.message}
        message = face_pb2.AttributeResult(attribute=outcome.attribute, error=error)
    if raw is not None:
        message.raw.CopyFrom(distribution_to_proto(raw, include_labels=include_labels))
    return message


def attribute_from_proto(
    message: face_pb2.AttributeResult, axes: Mapping[str, Axis], path: str = "attribute"
) -> AttributeOutcome:
    """A distribution, a withheld reason or an error.

    Raises:
        ConvertError: none of them is set, or its content is unknown here.
    """
    kind = message.WhichOneof("outcome")
    name = message.attribute
    if kind == "distribution":
        return distribution_from_proto(message.distribution, name, axes, f"{path}.distribution")
    if kind == "withheld":
        reason = enum_from_proto(WithheldReason, message.withheld.reason, f"{path}.withheld.reason")
        return Withheld(name, reason, message.withheld.message)
    if kind == "error":
        error = getattr(message, kind)  # type checkers take this message, AttributeError, for the built-in exception
        return AttributeFailure(name, error_reason_from_proto(error.reason, f"{path}.error.reason"), error.message)
    raise ConvertError(path, f"no outcome is set for {name!r}")


def face_to_proto(
    face: FaceAnalysis, *, include_labels: bool, include_landmarks: bool, path: str = "face"
) -> face_pb2.Face:
    """One face.

    Raises:
        ConvertError: `raw` has a distribution of an attribute that is not in `attributes`.
    """
    raw = {distribution.attribute: distribution for distribution in face.raw}
    stray = raw.keys() - {outcome.attribute for outcome in face.attributes}
    if stray:
        raise ConvertError(f"{path}.raw", f"not among the attributes: {', '.join(sorted(stray))}")
    box = face.detection.box
    message = face_pb2.Face(
        box=face_pb2.Box(left=box.left, top=box.top, right=box.right, bottom=box.bottom),
        score=face.detection.score,
        attributes=[
            attribute_to_proto(outcome, raw.get(outcome.attribute), include_labels=include_labels)
            for outcome in face.attributes
        ],
        track_id=face.track_id,
        label=face.detection.label,
    )
    if include_landmarks:
        for point in face.landmarks:
            message.landmarks.add(type=enum_to_proto(point.type), x=point.x, y=point.y)
    return message


def face_from_proto(message: face_pb2.Face, axes: Mapping[str, Axis], path: str = "face") -> FaceAnalysis:
    """One face.

    Raises:
        ConvertError: the box or an axis is missing, or something is unknown here.
    """
    if not message.HasField("box"):
        raise ConvertError(f"{path}.box", "missing")
    box = Box(left=message.box.left, top=message.box.top, right=message.box.right, bottom=message.box.bottom)
    landmarks = tuple(
        Landmark(type=enum_from_proto(LandmarkType, point.type, f"{path}.landmarks[{i}].type"), x=point.x, y=point.y)
        for i, point in enumerate(message.landmarks)
    )
    attributes = tuple(
        attribute_from_proto(result, axes, f"{path}.attributes[{i}]") for i, result in enumerate(message.attributes)
    )
    raw = tuple(
        distribution_from_proto(result.raw, result.attribute, axes, f"{path}.attributes[{i}].raw")
        for i, result in enumerate(message.attributes)
        if result.HasField("raw")
    )
    return FaceAnalysis(
        detection=Detection(box=box, score=message.score, label=message.label),
        landmarks=landmarks,
        attributes=attributes,
        track_id=message.track_id if message.HasField("track_id") else None,
        raw=raw,
    )
