"""The picture in the body of a request, held in memory alone: libraries for forms write large files to disk."""

from __future__ import annotations

import asyncio

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from faced_service.errors import DeadlineExceeded, InvalidOption, MessageTooLarge

_FORM_OVERHEAD = 64 << 10
"""Bytes that the lines between the parts of a form may add."""
_MOST_PARTS = 64
"""Pages send a few; half a million of them, in 4 MiB, would take a second to read."""


async def picture_bytes(request: Request, *, max_bytes: int, limit_s: float) -> bytes:
    """The field `image` of a form, or the body itself.

    Raises:
        MessageTooLarge: it has more than `max_bytes`; no more than these are read.
        DeadlineExceeded: it did not arrive within `limit_s`.
        InvalidOption: a form without the field, one of too many parts, or one that cannot be read.
    """
    kind, parameters = parse_options_header(request.headers.get("content-type"))
    form = kind == b"multipart/form-data"
    try:
        async with asyncio.timeout(limit_s):
            body = await _body(request, max_bytes + (_FORM_OVERHEAD if form else 0), max_bytes)
    except TimeoutError as error:
        raise DeadlineExceeded(f"the request did not arrive within {limit_s:g} s (upload_timeout_s)") from error
    if not form:
        return body
    picture = _field(body, parameters.get(b"boundary", b""), "image")
    if len(picture) > max_bytes:
        raise _too_large(max_bytes)
    return picture


async def _body(request: Request, most: int, told: int) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most:
        raise _too_large(told)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise _too_large(told)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int) -> MessageTooLarge:
    return MessageTooLarge(f"the picture has more than {limit} bytes (max_message_bytes)")


def _field(body: bytes, boundary: bytes, name: str) -> bytes:
    reader = _FieldReader(name.encode())
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reader.part_begin,
                "on_header_field": reader.header_field,
                "on_header_value": reader.header_value,
                "on_header_end": reader.header_end,
                "on_headers_finished": reader.headers_finished,
                "on_part_data": reader.part_data,
            },
        )
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise InvalidOption(f"the body is no form: {error}") from error
    if not reader.found:
        raise InvalidOption("the form has no field named image")
    return b"".join(reader.chunks)


class _FieldReader:
    """Callbacks of the parser; keeps the first part of the name alone."""

    def __init__(self, name: bytes) -> None:
        self._name = name
        self._field = self._value = self._disposition = b""
        self._wanted = self.found = False
        self._parts = 0
        self.chunks: list[bytes] = []

    def part_begin(self) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise InvalidOption(f"the form has more than {_MOST_PARTS} parts")
        self._wanted, self._disposition, self._field, self._value = False, b"", b"", b""

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = self._value
        self._field = self._value = b""

    def headers_finished(self) -> None:
        _, parameters = parse_options_header(self._disposition)
        if not self.found and parameters.get(b"name") == self._name:
            self._wanted = self.found = True

    def part_data(self, data: bytes, start: int, end: int) -> None:
        if self._wanted:
            self.chunks.append(data[start:end])
