"""Enums of the values and of the wire are the same sets."""

import inspect
from enum import Enum

import pytest

from faced_proto import types
from faced_proto.convert import (
    ConvertError,
    enum_from_proto,
    enum_to_proto,
    error_reason_from_proto,
    rotation_from_proto,
)
from faced_proto.convert.enums import WIRE_ENUMS, wire_name
from faced_proto.v1 import analysis_pb2, errors_pb2, face_pb2, image_pb2, options_pb2, service_pb2

VALUE_ENUMS = [
    kind for _, kind in inspect.getmembers(types, inspect.isclass) if issubclass(kind, Enum) and kind is not Enum
]
PROTO_FILES = (analysis_pb2, errors_pb2, face_pb2, image_pb2, options_pb2, service_pb2)
WIRE_NAMES = {
    value.name
    for file in PROTO_FILES
    for enum in file.DESCRIPTOR.enum_types_by_name.values()
    for value in enum.values
    if enum.name != "PixelFormat" and value.number != 0  # raw pixels do not cross the bridge
}


def test_all_value_enums_are_bridged():
    assert set(VALUE_ENUMS) == set(WIRE_ENUMS)
    assert len(VALUE_ENUMS) == 8


@pytest.mark.parametrize("member", [m for kind in VALUE_ENUMS for m in kind], ids=str)
def test_member_has_a_partner_and_comes_back(member):
    number = enum_to_proto(member)
    assert number != 0
    assert enum_from_proto(type(member), number, "x") is member


def test_every_wire_value_but_unspecified_has_a_member():
    assert {wire_name(member) for kind in VALUE_ENUMS for member in kind} == WIRE_NAMES


def test_reasons_travel_under_their_wire_name_in_lower_case():
    for reason in types.ErrorReason:
        assert f"ERROR_REASON_{reason.value.upper()}" == wire_name(reason)


def test_rotations_are_named_in_degrees():
    assert [wire_name(turn) for turn in types.Rotation] == ["ROTATION_0", "ROTATION_90", "ROTATION_180", "ROTATION_270"]
    assert rotation_from_proto(0) is types.Rotation.NONE


@pytest.mark.parametrize(("number", "said"), [(0, "is not set"), (99, "99"), (-1, "-1")])
def test_unset_and_unknown_numbers_are_refused_by_field(number, said):
    with pytest.raises(ConvertError, match=said) as caught:
        error_reason_from_proto(number, "outcome.error.reason")
    assert caught.value.path == "outcome.error.reason"
    assert str(caught.value).startswith("outcome.error.reason: ErrorReason ")


def test_unknown_rotation_is_refused():
    with pytest.raises(ConvertError, match="rotation: Rotation has the value 7"):
        rotation_from_proto(7)
