"""Enums, by one rule: a protobuf name is the types' name in upper snake case, an underscore and the member's name.

`Rotation` is the exception: its protobuf names end in degrees.
"""

import re
from enum import Enum
from functools import cache
from typing import TypeVar, overload

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from faced_proto import types
from faced_proto.convert.errors import ConvertError
from faced_proto.v1 import analysis_pb2, errors_pb2, face_pb2, image_pb2, service_pb2

WIRE_ENUMS: dict[type[Enum], EnumTypeWrapper] = {
    types.Precision: analysis_pb2.Precision,
    types.Rotation: image_pb2.Rotation,
    types.LandmarkType: face_pb2.LandmarkType,
    types.WithheldReason: face_pb2.WithheldReason,
    types.DropReason: service_pb2.DropReason,
    types.StreamMode: service_pb2.StreamMode,
    types.ErrorReason: errors_pb2.ErrorReason,
    types.ModelRole: service_pb2.ModelRole,
}

E = TypeVar("E", bound=Enum)


def wire_name(member: Enum) -> str:
    """`ErrorReason.QUOTA` -> "ERROR_REASON_QUOTA"; `Rotation.HALF` -> "ROTATION_180"."""
    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", type(member).__name__).upper()
    suffix = str(member.value) if isinstance(member, types.Rotation) else member.name
    return f"{prefix}_{suffix}"


@cache
def _numbers(kind: type[Enum]) -> dict[Enum, int]:
    wire = WIRE_ENUMS[kind]
    return {member: wire.Value(wire_name(member)) for member in kind}


@cache
def _members(kind: type[E]) -> dict[int, E]:
    return {_numbers(kind)[member]: member for member in kind}


@overload
def enum_to_proto(member: types.Precision) -> analysis_pb2.Precision: ...
@overload
def enum_to_proto(member: types.Rotation) -> image_pb2.Rotation: ...
@overload
def enum_to_proto(member: types.LandmarkType) -> face_pb2.LandmarkType: ...
@overload
def enum_to_proto(member: types.WithheldReason) -> face_pb2.WithheldReason: ...
@overload
def enum_to_proto(member: types.DropReason) -> service_pb2.DropReason: ...
@overload
def enum_to_proto(member: types.StreamMode) -> service_pb2.StreamMode: ...
@overload
def enum_to_proto(member: types.ErrorReason) -> errors_pb2.ErrorReason: ...
@overload
def enum_to_proto(member: types.ModelRole) -> service_pb2.ModelRole: ...
def enum_to_proto(member: Enum) -> int:
    """The protobuf number of a member."""
    return _numbers(type(member))[member]


def enum_from_proto(kind: type[E], number: int, path: str) -> E:
    """The member with a protobuf number.

    Raises:
        ConvertError: the number is UNSPECIFIED, or unknown here (a newer peer).
    """
    member: E | None = _members(kind).get(number)
    if member is None:
        known = "is not set" if number == 0 else f"has the value {number}, which is unknown here"
        raise ConvertError(path, f"{kind.__name__} {known}")
    return member


def error_reason_to_proto(reason: types.ErrorReason) -> errors_pb2.ErrorReason:
    """The protobuf number of a reason."""
    return enum_to_proto(reason)


def error_reason_from_proto(number: int, path: str = "reason") -> types.ErrorReason:
    """The reason with a protobuf number.

    Raises:
        ConvertError: UNSPECIFIED or unknown.
    """
    return enum_from_proto(types.ErrorReason, number, path)


def rotation_to_proto(rotation: types.Rotation) -> image_pb2.Rotation:
    """The protobuf number of a turn."""
    return enum_to_proto(rotation)


def rotation_from_proto(number: int, path: str = "rotation") -> types.Rotation:
    """The turn with a protobuf number; unset is no turn.

    Raises:
        ConvertError: unknown.
    """
    return types.Rotation.NONE if number == 0 else enum_from_proto(types.Rotation, number, path)
