import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faced_models.convert.dlib_stream import DlibStream
from faced_models.errors import WeightsError
from tests.dlib_file import integer, tensor


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_integers_are_sign_and_length_then_little_endian_bytes(value):
    stream = DlibStream(integer(value), "x.dat")
    assert stream.integer() == value
    stream.end()


@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_reals_are_mantissa_and_exponent(value):
    mantissa, exponent = math.frexp(value)
    stream = DlibStream(integer(int(mantissa * 2**53)) + integer(exponent - 53), "x.dat")
    assert stream.real() == value
    stream.end()


@pytest.mark.parametrize(("exponent", "value"), [(32000, math.inf), (32001, -math.inf)])
def test_infinities_have_exponents_of_their_own(exponent, value):
    assert DlibStream(integer(0) + integer(exponent), "x.dat").real() == value


def test_not_a_number_has_an_exponent_of_its_own():
    assert math.isnan(DlibStream(integer(0) + integer(32002), "x.dat").real())


@pytest.mark.parametrize(("text", "value"), [(b"-0.25 ", -0.25), (b"1e-3 ", 0.001), (b"inf ", math.inf)])
def test_reals_of_the_older_form_are_text(text, value):
    stream = DlibStream(text, "x.dat")
    assert stream.real() == value
    stream.end()


def test_tensors_are_four_sizes_and_little_endian_floats():
    values = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4) / 7
    stream = DlibStream(tensor(values), "x.dat")
    np.testing.assert_array_equal(stream.tensor(), values)
    stream.end()


def test_matrices_write_their_sizes_negative():
    data = integer(-2) + integer(-1) + integer(3) + integer(-1) + integer(-5) + integer(0)
    np.testing.assert_array_equal(DlibStream(data, "x.dat").matrix(), [[1.5], [-5.0]])


def test_strings_and_bools():
    stream = DlibStream(integer(5) + b"con_4" + b"1" + b"0", "x.dat")
    assert (stream.tag("con_4"), stream.boolean(), stream.boolean()) == ("con_4", True, False)


@pytest.mark.parametrize(
    ("data", "read", "message"),
    [
        (b"\x02\x01", "integer", r"x\.dat: at byte 1: the file ends, 1 bytes too early"),
        (b"", "integer", "ends"),
        (b"\x00", "integer", "control byte 0x00"),
        (b"\x71\x01", "integer", "control byte 0x71"),
        (b"\x81\x01", "count", "a length of -1"),
        (b"\x01\x02\xff\xfe", "string", "not ASCII"),
        (b"2", "boolean", "no bool"),
        (b"12;5 ", "real", "is no number"),
        (b"12", "real", "without an end"),
        (integer(1), "tensor", "version 1"),
        (integer(2) + integer(1) * 4 + struct.pack("<f", 1)[:3], "tensor", "1 bytes too early"),
        (integer(-(2**20)) + integer(-(2**20)), "matrix", "a matrix of"),
    ],
)
def test_wrong_bytes_are_refused_by_name_and_place(data, read, message):
    with pytest.raises(WeightsError, match=message):
        getattr(DlibStream(data, "x.dat"), read)()


def test_bytes_left_over_are_refused():
    with pytest.raises(WeightsError, match="3 bytes left over"):
        DlibStream(b"abc", "x.dat").end()


def test_an_unknown_tag_is_refused():
    with pytest.raises(WeightsError, match=r"'con_9', expected one of \('con_4',\)"):
        DlibStream(integer(5) + b"con_9", "x.dat").tag("con_4")
