from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PixelFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PIXEL_FORMAT_UNSPECIFIED: _ClassVar[PixelFormat]
    PIXEL_FORMAT_BGR24: _ClassVar[PixelFormat]
    PIXEL_FORMAT_RGB24: _ClassVar[PixelFormat]
    PIXEL_FORMAT_GRAY8: _ClassVar[PixelFormat]
    PIXEL_FORMAT_BGRA32: _ClassVar[PixelFormat]
    PIXEL_FORMAT_RGBA32: _ClassVar[PixelFormat]
    PIXEL_FORMAT_NV12: _ClassVar[PixelFormat]
    PIXEL_FORMAT_NV21: _ClassVar[PixelFormat]
    PIXEL_FORMAT_I420: _ClassVar[PixelFormat]
    PIXEL_FORMAT_YUYV: _ClassVar[PixelFormat]

class Rotation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROTATION_UNSPECIFIED: _ClassVar[Rotation]
    ROTATION_0: _ClassVar[Rotation]
    ROTATION_90: _ClassVar[Rotation]
    ROTATION_180: _ClassVar[Rotation]
    ROTATION_270: _ClassVar[Rotation]
PIXEL_FORMAT_UNSPECIFIED: PixelFormat
PIXEL_FORMAT_BGR24: PixelFormat
PIXEL_FORMAT_RGB24: PixelFormat
PIXEL_FORMAT_GRAY8: PixelFormat
PIXEL_FORMAT_BGRA32: PixelFormat
PIXEL_FORMAT_RGBA32: PixelFormat
PIXEL_FORMAT_NV12: PixelFormat
PIXEL_FORMAT_NV21: PixelFormat
PIXEL_FORMAT_I420: PixelFormat
PIXEL_FORMAT_YUYV: PixelFormat
ROTATION_UNSPECIFIED: Rotation
ROTATION_0: Rotation
ROTATION_90: Rotation
ROTATION_180: Rotation
ROTATION_270: Rotation

class Image(_message.Message):
    __slots__ = ("encoded", "raw", "rotation", "ignore_exif")
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    ROTATION_FIELD_NUMBER: _ClassVar[int]
    IGNORE_EXIF_FIELD_NUMBER: _ClassVar[int]
    encoded: bytes
    raw: RawImage
    rotation: Rotation
    ignore_exif: bool
    def __init__(self, encoded: _Optional[bytes] = ..., raw: _Optional[_Union[RawImage, _Mapping]] = ..., rotation: _Optional[_Union[Rotation, str]] = ..., ignore_exif: bool = ...) -> None: ...

class RawImage(_message.Message):
    __slots__ = ("pixel_format", "width", "height", "planes")
    PIXEL_FORMAT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    PLANES_FIELD_NUMBER: _ClassVar[int]
    pixel_format: PixelFormat
    width: int
    height: int
    planes: _containers.RepeatedCompositeFieldContainer[Plane]
    def __init__(self, pixel_format: _Optional[_Union[PixelFormat, str]] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., planes: _Optional[_Iterable[_Union[Plane, _Mapping]]] = ...) -> None: ...

class Plane(_message.Message):
    __slots__ = ("data", "row_stride", "pixel_stride")
    DATA_FIELD_NUMBER: _ClassVar[int]
    ROW_STRIDE_FIELD_NUMBER: _ClassVar[int]
    PIXEL_STRIDE_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    row_stride: int
    pixel_stride: int
    def __init__(self, data: _Optional[bytes] = ..., row_stride: _Optional[int] = ..., pixel_stride: _Optional[int] = ...) -> None: ...
