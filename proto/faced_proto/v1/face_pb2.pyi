from faced_proto.v1 import errors_pb2 as _errors_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LandmarkType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LANDMARK_TYPE_UNSPECIFIED: _ClassVar[LandmarkType]
    LANDMARK_TYPE_LEFT_EYE_OUTER_CORNER: _ClassVar[LandmarkType]
    LANDMARK_TYPE_LEFT_EYE_INNER_CORNER: _ClassVar[LandmarkType]
    LANDMARK_TYPE_RIGHT_EYE_OUTER_CORNER: _ClassVar[LandmarkType]
    LANDMARK_TYPE_RIGHT_EYE_INNER_CORNER: _ClassVar[LandmarkType]
    LANDMARK_TYPE_NOSE_BASE: _ClassVar[LandmarkType]

class WithheldReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WITHHELD_REASON_UNSPECIFIED: _ClassVar[WithheldReason]
    WITHHELD_REASON_MAY_BE_MINOR: _ClassVar[WithheldReason]
    WITHHELD_REASON_GUARD_FAILED: _ClassVar[WithheldReason]
LANDMARK_TYPE_UNSPECIFIED: LandmarkType
LANDMARK_TYPE_LEFT_EYE_OUTER_CORNER: LandmarkType
LANDMARK_TYPE_LEFT_EYE_INNER_CORNER: LandmarkType
LANDMARK_TYPE_RIGHT_EYE_OUTER_CORNER: LandmarkType
LANDMARK_TYPE_RIGHT_EYE_INNER_CORNER: LandmarkType
LANDMARK_TYPE_NOSE_BASE: LandmarkType
WITHHELD_REASON_UNSPECIFIED: WithheldReason
WITHHELD_REASON_MAY_BE_MINOR: WithheldReason
WITHHELD_REASON_GUARD_FAILED: WithheldReason

class Box(_message.Message):
    __slots__ = ("left", "top", "right", "bottom")
    LEFT_FIELD_NUMBER: _ClassVar[int]
    TOP_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    BOTTOM_FIELD_NUMBER: _ClassVar[int]
    left: float
    top: float
    right: float
    bottom: float
    def __init__(self, left: _Optional[float] = ..., top: _Optional[float] = ..., right: _Optional[float] = ..., bottom: _Optional[float] = ...) -> None: ...

class Landmark(_message.Message):
    __slots__ = ("type", "x", "y")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    type: LandmarkType
    x: float
    y: float
    def __init__(self, type: _Optional[_Union[LandmarkType, str]] = ..., x: _Optional[float] = ..., y: _Optional[float] = ...) -> None: ...

class Face(_message.Message):
    __slots__ = ("box", "score", "landmarks", "attributes", "track_id", "label")
    BOX_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    LANDMARKS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    box: Box
    score: float
    landmarks: _containers.RepeatedCompositeFieldContainer[Landmark]
    attributes: _containers.RepeatedCompositeFieldContainer[AttributeResult]
    track_id: int
    label: str
    def __init__(self, box: _Optional[_Union[Box, _Mapping]] = ..., score: _Optional[float] = ..., landmarks: _Optional[_Iterable[_Union[Landmark, _Mapping]]] = ..., attributes: _Optional[_Iterable[_Union[AttributeResult, _Mapping]]] = ..., track_id: _Optional[int] = ..., label: _Optional[str] = ...) -> None: ...

class AttributeResult(_message.Message):
    __slots__ = ("attribute", "distribution", "withheld", "error", "raw")
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    DISTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    attribute: str
    distribution: Distribution
    withheld: Withheld
    error: AttributeError
    raw: Distribution
    def __init__(self, attribute: _Optional[str] = ..., distribution: _Optional[_Union[Distribution, _Mapping]] = ..., withheld: _Optional[_Union[Withheld, _Mapping]] = ..., error: _Optional[_Union[AttributeError, _Mapping]] = ..., raw: _Optional[_Union[Distribution, _Mapping]] = ...) -> None: ...

class Distribution(_message.Message):
    __slots__ = ("model_id", "probabilities", "calibrated", "axis")
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    CALIBRATED_FIELD_NUMBER: _ClassVar[int]
    AXIS_FIELD_NUMBER: _ClassVar[int]
    model_id: str
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    calibrated: bool
    axis: Axis
    def __init__(self, model_id: _Optional[str] = ..., probabilities: _Optional[_Iterable[float]] = ..., calibrated: bool = ..., axis: _Optional[_Union[Axis, _Mapping]] = ...) -> None: ...

class Axis(_message.Message):
    __slots__ = ("categories", "integer_bins")
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    INTEGER_BINS_FIELD_NUMBER: _ClassVar[int]
    categories: Categories
    integer_bins: IntegerBins
    def __init__(self, categories: _Optional[_Union[Categories, _Mapping]] = ..., integer_bins: _Optional[_Union[IntegerBins, _Mapping]] = ...) -> None: ...

class Categories(_message.Message):
    __slots__ = ("labels",)
    LABELS_FIELD_NUMBER: _ClassVar[int]
    labels: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, labels: _Optional[_Iterable[str]] = ...) -> None: ...

class IntegerBins(_message.Message):
    __slots__ = ("first", "width", "last_open", "count")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    LAST_OPEN_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    first: int
    width: int
    last_open: bool
    count: int
    def __init__(self, first: _Optional[int] = ..., width: _Optional[int] = ..., last_open: bool = ..., count: _Optional[int] = ...) -> None: ...

class Withheld(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: WithheldReason
    message: str
    def __init__(self, reason: _Optional[_Union[WithheldReason, str]] = ..., message: _Optional[str] = ...) -> None: ...

class AttributeError(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: _errors_pb2.ErrorReason
    message: str
    def __init__(self, reason: _Optional[_Union[_errors_pb2.ErrorReason, str]] = ..., message: _Optional[str] = ...) -> None: ...
