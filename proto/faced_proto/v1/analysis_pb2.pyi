from faced_proto.v1 import face_pb2 as _face_pb2
from faced_proto.v1 import image_pb2 as _image_pb2
from faced_proto.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Precision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRECISION_UNSPECIFIED: _ClassVar[Precision]
    PRECISION_EXACT: _ClassVar[Precision]
    PRECISION_FAST: _ClassVar[Precision]
PRECISION_UNSPECIFIED: Precision
PRECISION_EXACT: Precision
PRECISION_FAST: Precision

class FrameAnalysis(_message.Message):
    __slots__ = ("width", "height", "rotation", "faces", "applied_scale", "min_detectable_px", "options", "full_scan", "engine", "timing", "thumbnail")
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROTATION_FIELD_NUMBER: _ClassVar[int]
    FACES_FIELD_NUMBER: _ClassVar[int]
    APPLIED_SCALE_FIELD_NUMBER: _ClassVar[int]
    MIN_DETECTABLE_PX_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    FULL_SCAN_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    TIMING_FIELD_NUMBER: _ClassVar[int]
    THUMBNAIL_FIELD_NUMBER: _ClassVar[int]
    width: int
    height: int
    rotation: _image_pb2.Rotation
    faces: _containers.RepeatedCompositeFieldContainer[_face_pb2.Face]
    applied_scale: float
    min_detectable_px: float
    options: _options_pb2.EffectiveOptions
    full_scan: bool
    engine: Engine
    timing: Timing
    thumbnail: bytes
    def __init__(self, width: _Optional[int] = ..., height: _Optional[int] = ..., rotation: _Optional[_Union[_image_pb2.Rotation, str]] = ..., faces: _Optional[_Iterable[_Union[_face_pb2.Face, _Mapping]]] = ..., applied_scale: _Optional[float] = ..., min_detectable_px: _Optional[float] = ..., options: _Optional[_Union[_options_pb2.EffectiveOptions, _Mapping]] = ..., full_scan: bool = ..., engine: _Optional[_Union[Engine, _Mapping]] = ..., timing: _Optional[_Union[Timing, _Mapping]] = ..., thumbnail: _Optional[bytes] = ...) -> None: ...

class Engine(_message.Message):
    __slots__ = ("device", "backend", "precision", "detector_model_id")
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    DETECTOR_MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    device: str
    backend: str
    precision: Precision
    detector_model_id: str
    def __init__(self, device: _Optional[str] = ..., backend: _Optional[str] = ..., precision: _Optional[_Union[Precision, str]] = ..., detector_model_id: _Optional[str] = ...) -> None: ...

class Timing(_message.Message):
    __slots__ = ("decode_us", "queue_us", "detect_us", "align_us", "describe_us", "total_us")
    DECODE_US_FIELD_NUMBER: _ClassVar[int]
    QUEUE_US_FIELD_NUMBER: _ClassVar[int]
    DETECT_US_FIELD_NUMBER: _ClassVar[int]
    ALIGN_US_FIELD_NUMBER: _ClassVar[int]
    DESCRIBE_US_FIELD_NUMBER: _ClassVar[int]
    TOTAL_US_FIELD_NUMBER: _ClassVar[int]
    decode_us: int
    queue_us: int
    detect_us: int
    align_us: int
    describe_us: int
    total_us: int
    def __init__(self, decode_us: _Optional[int] = ..., queue_us: _Optional[int] = ..., detect_us: _Optional[int] = ..., align_us: _Optional[int] = ..., describe_us: _Optional[int] = ..., total_us: _Optional[int] = ...) -> None: ...
