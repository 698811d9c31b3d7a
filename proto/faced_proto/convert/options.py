"""What is asked for, and what was in force."""

from faced_proto.convert.errors import ConvertError
from faced_proto.convert.scalars import fitting
from faced_proto.types import AnalysisOptions, EffectiveOptions
from faced_proto.v1 import options_pb2

_SCALARS = ("upsample_times", "min_face_px", "threshold", "max_faces", "include_labels", "include_landmarks")


def analysis_options_to_proto(options: AnalysisOptions) -> options_pb2.AnalysisOptions:
    """None stays unset.

    Raises:
        ConvertError: a number does not fit its field, or both scales are given.
    """
    if options.upsample_times is not None and options.min_face_px is not None:
        raise ConvertError("upsample_times", "at most one of upsample_times and min_face_px may be given")
    message = options_pb2.AnalysisOptions()
    for field in _SCALARS:
        value = getattr(options, field)
        if value is not None:
            with fitting(field):
                setattr(message, field, value)
    if options.attributes is not None:
        message.attributes.SetInParent()  # an empty list is present: boxes only
        with fitting("attributes"):
            message.attributes.names.extend(options.attributes)
    return message


def analysis_options_from_proto(message: options_pb2.AnalysisOptions) -> AnalysisOptions:
    """Unset becomes None; ranges are the receiver's to judge."""
    given = {field: getattr(message, field) for field in _SCALARS if message.HasField(field)}
    names = tuple(message.attributes.names) if message.HasField("attributes") else None
    return AnalysisOptions(**given, attributes=names)


def effective_options_to_proto(options: EffectiveOptions) -> options_pb2.EffectiveOptions:
    """No limit of faces becomes 0."""
    return options_pb2.EffectiveOptions(
        upsample_times=options.upsample_times,
        threshold=options.threshold,
        max_faces=options.max_faces or 0,
        attributes=options.attributes,
    )


def effective_options_from_proto(message: options_pb2.EffectiveOptions) -> EffectiveOptions:
    """0 faces becomes no limit."""
    return EffectiveOptions(
        upsample_times=message.upsample_times,
        threshold=message.threshold,
        max_faces=message.max_faces or None,
        attributes=tuple(message.attributes),
    )
