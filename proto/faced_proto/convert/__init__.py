"""types <-> protobuf, both ways; the only such bridge. Raw pixels do not cross it."""

from faced_proto.convert.analysis import (
    engine_from_proto,
    engine_to_proto,
    frame_analysis_from_proto,
    frame_analysis_to_proto,
    timing_from_proto,
    timing_to_proto,
)
from faced_proto.convert.enums import (
    enum_from_proto,
    enum_to_proto,
    error_reason_from_proto,
    error_reason_to_proto,
    rotation_from_proto,
    rotation_to_proto,
)
from faced_proto.convert.errors import ConvertError
from faced_proto.convert.faces import (
    attribute_from_proto,
    attribute_to_proto,
    axis_from_proto,
    axis_to_proto,
    distribution_from_proto,
    distribution_to_proto,
    face_from_proto,
    face_to_proto,
)
from faced_proto.convert.options import (
    analysis_options_from_proto,
    analysis_options_to_proto,
    effective_options_from_proto,
    effective_options_to_proto,
)
from faced_proto.convert.scalars import duration_from_proto, duration_to_proto
from faced_proto.convert.server import (
    axes_of,
    model_info_from_proto,
    model_info_to_proto,
    server_info_from_proto,
    server_info_to_proto,
)
from faced_proto.convert.stream import (
    frame_outcome_from_proto,
    frame_outcome_to_proto,
    stream_config_from_proto,
    stream_config_to_proto,
    stream_started_from_proto,
    stream_started_to_proto,
)

__all__ = [
    "ConvertError",
    "analysis_options_from_proto",
    "analysis_options_to_proto",
    "attribute_from_proto",
    "attribute_to_proto",
    "axes_of",
    "axis_from_proto",
    "axis_to_proto",
    "distribution_from_proto",
    "distribution_to_proto",
    "duration_from_proto",
    "duration_to_proto",
    "effective_options_from_proto",
    "effective_options_to_proto",
    "engine_from_proto",
    "engine_to_proto",
    "enum_from_proto",
    "enum_to_proto",
    "error_reason_from_proto",
    "error_reason_to_proto",
    "face_from_proto",
    "face_to_proto",
    "frame_analysis_from_proto",
    "frame_analysis_to_proto",
    "frame_outcome_from_proto",
    "frame_outcome_to_proto",
    "model_info_from_proto",
    "model_info_to_proto",
    "rotation_from_proto",
    "rotation_to_proto",
    "server_info_from_proto",
    "server_info_to_proto",
    "stream_config_from_proto",
    "stream_config_to_proto",
    "stream_started_from_proto",
    "stream_started_to_proto",
    "timing_from_proto",
    "timing_to_proto",
]
