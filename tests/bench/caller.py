"""Unary gRPC calls without gRPC's own client, for half of what that costs.

Callers of a bench share the cores with the server: what they cost would be counted as its own. On the wire they are
like any other (RFC 9113 for HTTP/2, RFC 7541 for its headers, gRPC's PROTOCOL-HTTP2.md); TLS they have none.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE, _CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
_END_STREAM = _ACK = 0x1
_END_HEADERS = 0x4
_PADDED_OR_PRIORITY = 0x8 | 0x20
_TABLE_SIZE, _PUSH, _INITIAL_WINDOW, _MAX_FRAME = 1, 2, 4, 5
_LARGEST_WINDOW = 2**31 - 1
_WINDOW = 65_535
_STATIC_FIELDS = 61


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a call: gRPC's number of the status, the trailing metadata, the message's bytes (empty if none)."""

    status: int
    trailers: Mapping[str, str]
    message: bytes


@dataclass(slots=True)
class _Call:
    done: asyncio.Future[Reply]
    window: int
    sent: int = 0
    received: bytearray = field(default_factory=bytearray)


class Caller(asyncio.Protocol):
    """Calls of one method with one message, over one connection; as many at once as are wanted."""

    def __init__(self, path: str, message: bytes, metadata: Sequence[tuple[str, str]], timeout_s: int) -> None:
        # A message is its length behind a 0, which says that it is not compressed.
        self._body = memoryview(b"\0" + struct.pack(">I", len(message)) + message)
        fields = (
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "localhost"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("grpc-timeout", f"{timeout_s}S"),
            *metadata,
        )
        # Literals that nobody need remember.
        self._headers = b"".join(b"\0" + _string(name) + _string(value) for name, value in fields)
        self._calls: dict[int, _Call] = {}
        # Those whose message the peer has not taken whole.
        self._sending: dict[int, _Call] = {}
        self._next_id = 1
        self._window = self._initial_window = _WINDOW
        self._max_frame = 16_384
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    async def call(self) -> Reply:
        """Raises ConnectionError where the call ended without a status."""
        if self._transport is None:
            raise ConnectionError("the connection is lost")
        number, self._next_id = self._next_id, self._next_id + 2
        call = _Call(asyncio.get_running_loop().create_future(), self._initial_window)
        self._calls[number] = self._sending[number] = call
        self._send([_frame(_HEADERS, _END_HEADERS, number, self._headers), *self._body_frames(number, call)])
        return await call.done

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # Headers come as literals where the peer's table may hold nothing.
        wishes = {_TABLE_SIZE: 0, _PUSH: 0, _INITIAL_WINDOW: _LARGEST_WINDOW}
        self._send(
            [
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                _frame(_SETTINGS, 0, 0, b"".join(struct.pack(">HI", *wish) for wish in wishes.items())),
                _frame(_WINDOW_UPDATE, 0, 0, struct.pack(">I", _LARGEST_WINDOW - _WINDOW)),
            ]
        )

    def data_received(self, data: bytes) -> None:
        self._received += data
        at = 0
        while len(self._received) >= at + 9:
            high, low, kind, flags, number = struct.unpack_from(">BHBBI", self._received, at)
            end = at + 9 + (high << 16 | low)
            if len(self._received) < end:
                break
            self._take(kind, flags, number & _LARGEST_WINDOW, bytes(self._received[at + 9 : end]))
            at = end
        del self._received[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        for number in list(self._calls):
            self._fail(number, f"the connection is lost: {exc}")

    def _take(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if (kind in (_DATA, _HEADERS) and flags & _PADDED_OR_PRIORITY) or kind == _CONTINUATION:
            raise NotImplementedError(f"a frame of kind {kind} with flags {flags:#x}")
        if kind == _SETTINGS and not flags & _ACK:
            self._settle(dict(struct.iter_unpack(">HI", payload)))
        elif kind == _PING and not flags & _ACK:
            self._send([_frame(_PING, _ACK, 0, payload)])
        elif kind == _WINDOW_UPDATE:
            self._widen(number, struct.unpack(">I", payload)[0])
        elif kind == _GOAWAY:
            raise ConnectionError(f"the server says GOAWAY: {payload[8:]!r}")
        elif number in self._calls:
            self._answer(kind, flags, number, payload)

    def _answer(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        call = self._calls[number]
        if kind == _RST_STREAM:
            self._fail(number, f"the server reset the call: {payload.hex()}")
            return
        if kind == _DATA:
            call.received += payload
        elif kind == _HEADERS and flags & _END_STREAM:
            trailers = _fields(payload)
            self._ended(number).set_result(Reply(int(trailers["grpc-status"]), trailers, bytes(call.received[5:])))

    def _fail(self, number: int, why: str) -> None:
        self._ended(number).set_exception(ConnectionError(why))

    def _ended(self, number: int) -> asyncio.Future[Reply]:
        self._sending.pop(number, None)
        return self._calls.pop(number).done

    def _settle(self, settings: Mapping[int, int]) -> None:
        self._max_frame = settings.get(_MAX_FRAME, self._max_frame)
        wider = settings.get(_INITIAL_WINDOW, self._initial_window) - self._initial_window
        self._initial_window += wider
        for call in self._sending.values():
            call.window += wider
        self._send([_frame(_SETTINGS, _ACK, 0, b""), *self._frames_of_all()])

    def _widen(self, number: int, size: int) -> None:
        """The peer takes `size` bytes more, of one call or of all together."""
        if number == 0:
            self._window += size
        elif number in self._sending:
            self._sending[number].window += size
        self._send(self._frames_of_all())

    def _frames_of_all(self) -> list[bytes]:
        return [frame for each, call in list(self._sending.items()) for frame in self._body_frames(each, call)]

    def _body_frames(self, number: int, call: _Call) -> list[bytes]:
        """As much of the message as the peer takes by now."""
        frames: list[bytes] = []
        while (size := min(len(self._body) - call.sent, call.window, self._window, self._max_frame)) > 0:
            part = self._body[call.sent : call.sent + size]
            call.sent += size
            call.window -= size
            self._window -= size
            whole = call.sent == len(self._body)
            if whole:
                del self._sending[number]
            frames.append(_frame(_DATA, _END_STREAM if whole else 0, number, part))
        return frames

    def _send(self, frames: list[bytes]) -> None:
        assert self._transport is not None
        self._transport.write(b"".join(frames))


@asynccontextmanager
async def calling(
    address: str, path: str, message: bytes, *, metadata: Sequence[tuple[str, str]] = (), timeout_s: int = 60
) -> AsyncIterator[Caller]:
    """A connection to `address` ("host:port") for calls of the method at `path` with `message`."""
    host, _, port = address.rpartition(":")
    begin = partial(Caller, path, message, metadata, timeout_s)
    _, caller = await asyncio.get_running_loop().create_connection(begin, host, int(port))
    try:
        yield caller
    finally:
        caller.close()


def _frame(kind: int, flags: int, number: int, payload: bytes | memoryview) -> bytes:
    return struct.pack(">BHBBI", len(payload) >> 16, len(payload) & 0xFFFF, kind, flags, number) + payload


def _string(text: str) -> bytes:
    """Of fewer than 127 characters: their number in one byte, and no Huffman code."""
    assert len(text) < 127
    return bytes([len(text)]) + text.encode()


def _fields(block: bytes) -> dict[str, str]:
    """The header fields whose names are spelled out, which gRPC's and faced's own are."""
    fields: dict[str, str] = {}
    at = 0
    while at < len(block):
        first = block[at]
        if first & 0x80:
            index, at = _integer(block, at, 7)
        elif first & 0xE0 == 0x20:
            # The size of the table, which is to be 0.
            index, at = _integer(block, at, 5)
            continue
        else:
            index, at = _integer(block, at, 6 if first & 0x40 else 4)
            name = b""
            if index == 0:
                name, at = _bytes(block, at)
            value, at = _bytes(block, at)
            fields[name.decode()] = value.decode()
        if index > _STATIC_FIELDS:
            raise NotImplementedError(f"a header field of the table that was to be empty: {index}")
    return fields


def _integer(block: bytes, at: int, bits: int) -> tuple[int, int]:
    """RFC 7541, 5.1: the number that begins in the lowest `bits` of a byte, and where the next thing begins."""
    most = (1 << bits) - 1
    number = block[at] & most
    at += 1
    if number < most:
        return number, at
    shift = 0
    while True:
        number += (block[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not block[at - 1] & 0x80:
            return number, at


def _bytes(block: bytes, at: int) -> tuple[bytes, int]:
    if block[at] & 0x80:
        raise NotImplementedError("a header field in Huffman code")
    size, at = _integer(block, at, 7)
    return block[at : at + size], at + size
