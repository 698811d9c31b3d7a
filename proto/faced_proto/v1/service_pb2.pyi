import datetime

from faced_proto.v1 import analysis_pb2 as _analysis_pb2
from faced_proto.v1 import errors_pb2 as _errors_pb2
from faced_proto.v1 import face_pb2 as _face_pb2
from faced_proto.v1 import image_pb2 as _image_pb2
from faced_proto.v1 import options_pb2 as _options_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StreamMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STREAM_MODE_UNSPECIFIED: _ClassVar[StreamMode]
    STREAM_MODE_LIVE: _ClassVar[StreamMode]
    STREAM_MODE_EVERY_FRAME: _ClassVar[StreamMode]

class DropReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DROP_REASON_UNSPECIFIED: _ClassVar[DropReason]
    DROP_REASON_SUPERSEDED: _ClassVar[DropReason]
    DROP_REASON_TOO_OLD: _ClassVar[DropReason]
    DROP_REASON_DRAINING: _ClassVar[DropReason]

class ModelRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODEL_ROLE_UNSPECIFIED: _ClassVar[ModelRole]
    MODEL_ROLE_DETECTOR: _ClassVar[ModelRole]
    MODEL_ROLE_LANDMARKS: _ClassVar[ModelRole]
    MODEL_ROLE_ATTRIBUTE: _ClassVar[ModelRole]
STREAM_MODE_UNSPECIFIED: StreamMode
STREAM_MODE_LIVE: StreamMode
STREAM_MODE_EVERY_FRAME: StreamMode
DROP_REASON_UNSPECIFIED: DropReason
DROP_REASON_SUPERSEDED: DropReason
DROP_REASON_TOO_OLD: DropReason
DROP_REASON_DRAINING: DropReason
MODEL_ROLE_UNSPECIFIED: ModelRole
MODEL_ROLE_DETECTOR: ModelRole
MODEL_ROLE_LANDMARKS: ModelRole
MODEL_ROLE_ATTRIBUTE: ModelRole

class AnalyzeRequest(_message.Message):
    __slots__ = ("image", "options", "deadline")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    options: _options_pb2.AnalysisOptions
    deadline: _duration_pb2.Duration
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., options: _Optional[_Union[_options_pb2.AnalysisOptions, _Mapping]] = ..., deadline: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class AnalyzeResponse(_message.Message):
    __slots__ = ("analysis",)
    ANALYSIS_FIELD_NUMBER: _ClassVar[int]
    analysis: _analysis_pb2.FrameAnalysis
    def __init__(self, analysis: _Optional[_Union[_analysis_pb2.FrameAnalysis, _Mapping]] = ...) -> None: ...

class AnalyzeStreamRequest(_message.Message):
    __slots__ = ("config", "frame")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    config: StreamConfig
    frame: Frame
    def __init__(self, config: _Optional[_Union[StreamConfig, _Mapping]] = ..., frame: _Optional[_Union[Frame, _Mapping]] = ...) -> None: ...

class AnalyzeStreamResponse(_message.Message):
    __slots__ = ("started", "outcome", "draining")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    started: StreamStarted
    outcome: FrameOutcome
    draining: Draining
    def __init__(self, started: _Optional[_Union[StreamStarted, _Mapping]] = ..., outcome: _Optional[_Union[FrameOutcome, _Mapping]] = ..., draining: _Optional[_Union[Draining, _Mapping]] = ...) -> None: ...

class StreamConfig(_message.Message):
    __slots__ = ("mode", "options", "max_frame_age", "scan_interval", "track", "smoothing_half_life", "history", "frame_deadline")
    MODE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAME_AGE_FIELD_NUMBER: _ClassVar[int]
    SCAN_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    SMOOTHING_HALF_LIFE_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    FRAME_DEADLINE_FIELD_NUMBER: _ClassVar[int]
    mode: StreamMode
    options: _options_pb2.AnalysisOptions
    max_frame_age: _duration_pb2.Duration
    scan_interval: int
    track: bool
    smoothing_half_life: _duration_pb2.Duration
    history: _containers.RepeatedCompositeFieldContainer[FrameOutcome]
    frame_deadline: _duration_pb2.Duration
    def __init__(self, mode: _Optional[_Union[StreamMode, str]] = ..., options: _Optional[_Union[_options_pb2.AnalysisOptions, _Mapping]] = ..., max_frame_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., scan_interval: _Optional[int] = ..., track: bool = ..., smoothing_half_life: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., history: _Optional[_Iterable[_Union[FrameOutcome, _Mapping]]] = ..., frame_deadline: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("frame_id", "image", "media_time_us")
    FRAME_ID_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TIME_US_FIELD_NUMBER: _ClassVar[int]
    frame_id: int
    image: _image_pb2.Image
    media_time_us: int
    def __init__(self, frame_id: _Optional[int] = ..., image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., media_time_us: _Optional[int] = ...) -> None: ...

class StreamStarted(_message.Message):
    __slots__ = ("stream_id", "max_in_flight", "effective_config", "models", "ignored", "history_span")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_CONFIG_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    IGNORED_FIELD_NUMBER: _ClassVar[int]
    HISTORY_SPAN_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    max_in_flight: int
    effective_config: StreamConfig
    models: _containers.RepeatedCompositeFieldContainer[ModelInfo]
    ignored: _containers.RepeatedScalarFieldContainer[str]
    history_span: _duration_pb2.Duration
    def __init__(self, stream_id: _Optional[str] = ..., max_in_flight: _Optional[int] = ..., effective_config: _Optional[_Union[StreamConfig, _Mapping]] = ..., models: _Optional[_Iterable[_Union[ModelInfo, _Mapping]]] = ..., ignored: _Optional[_Iterable[str]] = ..., history_span: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class FrameOutcome(_message.Message):
    __slots__ = ("frame_id", "media_time_us", "analysis", "error", "dropped")
    FRAME_ID_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TIME_US_FIELD_NUMBER: _ClassVar[int]
    ANALYSIS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    frame_id: int
    media_time_us: int
    analysis: _analysis_pb2.FrameAnalysis
    error: FrameError
    dropped: Dropped
    def __init__(self, frame_id: _Optional[int] = ..., media_time_us: _Optional[int] = ..., analysis: _Optional[_Union[_analysis_pb2.FrameAnalysis, _Mapping]] = ..., error: _Optional[_Union[FrameError, _Mapping]] = ..., dropped: _Optional[_Union[Dropped, _Mapping]] = ...) -> None: ...

class FrameError(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: _errors_pb2.ErrorReason
    message: str
    def __init__(self, reason: _Optional[_Union[_errors_pb2.ErrorReason, str]] = ..., message: _Optional[str] = ...) -> None: ...

class Dropped(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: DropReason
    def __init__(self, reason: _Optional[_Union[DropReason, str]] = ...) -> None: ...

class Draining(_message.Message):
    __slots__ = ("grace",)
    GRACE_FIELD_NUMBER: _ClassVar[int]
    grace: _duration_pb2.Duration
    def __init__(self, grace: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "engine", "models", "attributes", "limits", "notices")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    version: str
    engine: _analysis_pb2.Engine
    models: _containers.RepeatedCompositeFieldContainer[ModelInfo]
    attributes: _containers.RepeatedScalarFieldContainer[str]
    limits: Limits
    notices: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[str] = ..., engine: _Optional[_Union[_analysis_pb2.Engine, _Mapping]] = ..., models: _Optional[_Iterable[_Union[ModelInfo, _Mapping]]] = ..., attributes: _Optional[_Iterable[str]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., notices: _Optional[_Iterable[str]] = ...) -> None: ...

class ModelInfo(_message.Message):
    __slots__ = ("model_id", "role", "attribute", "axis", "calibrated", "licence", "input_size")
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    AXIS_FIELD_NUMBER: _ClassVar[int]
    CALIBRATED_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    INPUT_SIZE_FIELD_NUMBER: _ClassVar[int]
    model_id: str
    role: ModelRole
    attribute: str
    axis: _face_pb2.Axis
    calibrated: bool
    licence: str
    input_size: int
    def __init__(self, model_id: _Optional[str] = ..., role: _Optional[_Union[ModelRole, str]] = ..., attribute: _Optional[str] = ..., axis: _Optional[_Union[_face_pb2.Axis, _Mapping]] = ..., calibrated: bool = ..., licence: _Optional[str] = ..., input_size: _Optional[int] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("max_message_bytes", "max_pixels", "max_upscaled_pixels", "max_detect_pixels")
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_PIXELS_FIELD_NUMBER: _ClassVar[int]
    MAX_UPSCALED_PIXELS_FIELD_NUMBER: _ClassVar[int]
    MAX_DETECT_PIXELS_FIELD_NUMBER: _ClassVar[int]
    max_message_bytes: int
    max_pixels: int
    max_upscaled_pixels: int
    max_detect_pixels: int
    def __init__(self, max_message_bytes: _Optional[int] = ..., max_pixels: _Optional[int] = ..., max_upscaled_pixels: _Optional[int] = ..., max_detect_pixels: _Optional[int] = ...) -> None: ...
