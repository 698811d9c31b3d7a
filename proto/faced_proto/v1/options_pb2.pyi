from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AnalysisOptions(_message.Message):
    __slots__ = ("upsample_times", "min_face_px", "threshold", "max_faces", "attributes", "include_labels", "include_landmarks")
    UPSAMPLE_TIMES_FIELD_NUMBER: _ClassVar[int]
    MIN_FACE_PX_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    MAX_FACES_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_LABELS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_LANDMARKS_FIELD_NUMBER: _ClassVar[int]
    upsample_times: int
    min_face_px: int
    threshold: float
    max_faces: int
    attributes: AttributeSelection
    include_labels: bool
    include_landmarks: bool
    def __init__(self, upsample_times: _Optional[int] = ..., min_face_px: _Optional[int] = ..., threshold: _Optional[float] = ..., max_faces: _Optional[int] = ..., attributes: _Optional[_Union[AttributeSelection, _Mapping]] = ..., include_labels: bool = ..., include_landmarks: bool = ...) -> None: ...

class AttributeSelection(_message.Message):
    __slots__ = ("names",)
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...

class EffectiveOptions(_message.Message):
    __slots__ = ("upsample_times", "threshold", "max_faces", "attributes")
    UPSAMPLE_TIMES_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    MAX_FACES_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    upsample_times: int
    threshold: float
    max_faces: int
    attributes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, upsample_times: _Optional[int] = ..., threshold: _Optional[float] = ..., max_faces: _Optional[int] = ..., attributes: _Optional[_Iterable[str]] = ...) -> None: ...
