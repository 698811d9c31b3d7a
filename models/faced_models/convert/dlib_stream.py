"""Reader of dlib's serialization format (dlib/serialize.h, float_details.h, cuda/tensor.h)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from faced_models.errors import WeightsError

_NEGATIVE = 0x80
_RESERVED = 0x70
_LENGTH = 0x0F
_SPECIAL = {32000: math.inf, 32001: -math.inf, 32002: math.nan}
_TENSOR_VERSION = 2
_ALIAS_VERSION = 1
_MAX_COUNT = 1 << 28


class DlibStream:
    """A cursor over the bytes of one .dat file; every method reads one value and moves on.

    All methods raise WeightsError, naming the file and the offset, where the bytes are not what they should be.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self._data = data
        self._name = name
        self._at = 0

    def integer(self) -> int:
        """A byte of sign and length, then that many little-endian bytes."""
        control = self._take(1)[0]
        length = control & _LENGTH
        if control & _RESERVED or not 1 <= length <= 8:
            raise self.unexpected(f"control byte 0x{control:02x} begins no integer")
        value = int.from_bytes(self._take(length), "little")
        return -value if control & _NEGATIVE else value

    def count(self) -> int:
        """A length: an integer that is not negative."""
        value = self.integer()
        if not 0 <= value <= _MAX_COUNT:
            raise self.unexpected(f"a length of {value}")
        return value

    def version(self, *known: int) -> int:
        """An integer that must be one of `known`."""
        value = self.integer()
        if value not in known:
            raise self.unexpected(f"version {value}, expected one of {known}")
        return value

    def string(self) -> str:
        """A length, then ASCII characters."""
        raw = self._take(self.count())
        try:
            return raw.decode("ascii")
        except UnicodeDecodeError as error:
            raise self.unexpected("a string that is not ASCII") from error

    def tag(self, *known: str) -> str:
        """A string that must be one of `known`."""
        value = self.string()
        if value not in known:
            raise self.unexpected(f"{value!r}, expected one of {known}")
        return value

    def boolean(self) -> bool:
        """The ASCII character 0 or 1."""
        raw = self._take(1)
        if raw not in (b"0", b"1"):
            raise self.unexpected(f"{raw!r} is no bool")
        return raw == b"1"

    def real(self) -> float:
        """A number as mantissa * 2 ** exponent, or the older text form ended by a space."""
        if self._at < len(self._data) and self._data[self._at] & _RESERVED:
            return self._text_real()
        mantissa, exponent = self.integer(), self.integer()
        if exponent in _SPECIAL:
            return _SPECIAL[exponent]
        return math.ldexp(mantissa, exponent)

    def tensor(self) -> NDArray[np.float32]:
        """float32 [samples, channels, rows, columns]."""
        self.version(_TENSOR_VERSION)
        shape = tuple(self.count() for _ in range(4))
        raw = self._take(4 * math.prod(shape))
        return np.frombuffer(raw, dtype="<f4").astype(np.float32).reshape(shape)

    def tensor_view(self) -> tuple[int, int, int, int]:
        """The shape of a window into another tensor (dlib's alias_tensor)."""
        self.version(_ALIAS_VERSION)
        return self.count(), self.count(), self.count(), self.count()

    def matrix(self) -> NDArray[np.float32]:
        """float32 [rows, columns]; dlib writes both sizes negative to mark the newer form."""
        rows, columns = abs(self.integer()), abs(self.integer())
        if rows * columns > _MAX_COUNT:
            raise self.unexpected(f"a matrix of {rows} x {columns}")
        values = [self.real() for _ in range(rows * columns)]
        return np.array(values, dtype=np.float32).reshape(rows, columns)

    def end(self) -> None:
        """Nothing may follow."""
        rest = len(self._data) - self._at
        if rest:
            raise self.unexpected(f"{rest} bytes left over")

    def unexpected(self, what: str) -> WeightsError:
        """The error that says where `what` was found."""
        return WeightsError(f"{self._name}: at byte {self._at}: {what}")

    def _text_real(self) -> float:
        end = self._data.find(b" ", self._at)
        if end < 0:
            raise self.unexpected("a number without an end")
        text = self._take(end - self._at)
        self._take(1)
        try:
            # dlib writes -inf as "ninf" and NaN as "NaN".
            return float(text.decode("ascii").replace("ninf", "-inf"))
        except ValueError as error:
            raise self.unexpected(f"{text!r} is no number") from error

    def _take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._data):
            raise self.unexpected(f"the file ends, {end - len(self._data)} bytes too early")
        raw = self._data[self._at : end]
        self._at = end
        return raw
