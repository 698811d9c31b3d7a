from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_INVALID_OPTION: _ClassVar[ErrorReason]
    ERROR_REASON_IMAGE_EMPTY: _ClassVar[ErrorReason]
    ERROR_REASON_IMAGE_UNSUPPORTED: _ClassVar[ErrorReason]
    ERROR_REASON_IMAGE_TRUNCATED: _ClassVar[ErrorReason]
    ERROR_REASON_IMAGE_CORRUPT: _ClassVar[ErrorReason]
    ERROR_REASON_IMAGE_TOO_LARGE: _ClassVar[ErrorReason]
    ERROR_REASON_RAW_LAYOUT: _ClassVar[ErrorReason]
    ERROR_REASON_UNKNOWN_ATTRIBUTE: _ClassVar[ErrorReason]
    ERROR_REASON_FORBIDDEN_ATTRIBUTE: _ClassVar[ErrorReason]
    ERROR_REASON_STREAM_ORDER: _ClassVar[ErrorReason]
    ERROR_REASON_OVERLOADED: _ClassVar[ErrorReason]
    ERROR_REASON_MESSAGE_TOO_LARGE: _ClassVar[ErrorReason]
    ERROR_REASON_QUOTA: _ClassVar[ErrorReason]
    ERROR_REASON_DEADLINE: _ClassVar[ErrorReason]
    ERROR_REASON_NOT_READY: _ClassVar[ErrorReason]
    ERROR_REASON_MODEL_FAILED: _ClassVar[ErrorReason]
    ERROR_REASON_INTERNAL: _ClassVar[ErrorReason]
    ERROR_REASON_UNAUTHENTICATED: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_INVALID_OPTION: ErrorReason
ERROR_REASON_IMAGE_EMPTY: ErrorReason
ERROR_REASON_IMAGE_UNSUPPORTED: ErrorReason
ERROR_REASON_IMAGE_TRUNCATED: ErrorReason
ERROR_REASON_IMAGE_CORRUPT: ErrorReason
ERROR_REASON_IMAGE_TOO_LARGE: ErrorReason
ERROR_REASON_RAW_LAYOUT: ErrorReason
ERROR_REASON_UNKNOWN_ATTRIBUTE: ErrorReason
ERROR_REASON_FORBIDDEN_ATTRIBUTE: ErrorReason
ERROR_REASON_STREAM_ORDER: ErrorReason
ERROR_REASON_OVERLOADED: ErrorReason
ERROR_REASON_MESSAGE_TOO_LARGE: ErrorReason
ERROR_REASON_QUOTA: ErrorReason
ERROR_REASON_DEADLINE: ErrorReason
ERROR_REASON_NOT_READY: ErrorReason
ERROR_REASON_MODEL_FAILED: ErrorReason
ERROR_REASON_INTERNAL: ErrorReason
ERROR_REASON_UNAUTHENTICATED: ErrorReason
