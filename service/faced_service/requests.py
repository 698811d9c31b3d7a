"""Messages of callers to what the core takes; everything that is wrong with them becomes a FacedError."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message

from faced_proto.convert import (
    ConvertError,
    analysis_options_from_proto,
    axes_of,
    duration_from_proto,
    rotation_from_proto,
    stream_config_from_proto,
)
from faced_proto.types import AnalysisOptions, Axis, ModelInfo, StreamConfig
from faced_proto.v1 import image_pb2, options_pb2, service_pb2
from faced_service.errors import DeadlineExceeded, FacedError, InvalidOption, RawLayoutError, StreamOrder
from faced_service.images import EncodedImage, Picture
from faced_service.raw_pixels import MOST_PLANES, PixelFormat, Plane, RawLayout
from faced_service.stream_frame import StreamFrame
from faced_service.stream_start import MAX_HISTORY_FACES, MAX_HISTORY_ROWS, beside_loop, check_history, first_message

_FORMATS = {
    image_pb2.PixelFormat.Value(f"PIXEL_FORMAT_{pixel_format.name}"): pixel_format for pixel_format in PixelFormat
}

_MAX_NAMES = 1024
"""Of attributes; there are never so many, and looking at millions takes a second."""

_Request = TypeVar("_Request", bound=Message)


@dataclass(frozen=True, slots=True)
class Malformed:
    """Stands for a message whose bytes are none of its kind."""

    kind: str


def reader_of(kind: type[_Request]) -> Callable[[bytes], _Request | Malformed]:
    """Bytes to a message; gRPC's own way of telling that they are none has neither reason nor the right status."""

    def read(data: bytes) -> _Request | Malformed:
        try:
            message: _Request = kind()
            message.ParseFromString(data)
        except DecodeError:
            return Malformed(kind.DESCRIPTOR.name)
        return message

    return read


def whole(received: _Request | Malformed) -> _Request:
    """The message.

    Raises:
        InvalidOption: it could not be read.
    """
    if isinstance(received, Malformed):
        raise InvalidOption(f"the bytes of the message are no {received.kind}")
    return received


async def only(messages: AsyncIterator[_Request | Malformed], limit: float) -> _Request:
    """The one message of a call.

    Raises:
        InvalidOption: there is none, or it could not be read.
        DeadlineExceeded: it did not arrive within `limit` seconds.
    """
    try:
        async with asyncio.timeout(limit):
            received = await anext(aiter(messages), None)
    except TimeoutError as error:
        raise DeadlineExceeded(f"the request did not arrive within {limit:g} s (upload_timeout_s)") from error
    if received is None:
        raise InvalidOption("the call holds no message")
    return whole(received)


def options_from_proto(options: options_pb2.AnalysisOptions) -> AnalysisOptions:
    """What the caller asks for; limits are looked at later.

    Raises:
        InvalidOption: it names more attributes than there can be.
    """
    _limit_names(options)
    return analysis_options_from_proto(options)


def picture_from_proto(image: image_pb2.Image) -> Picture:
    """The picture that was sent, or one without content.

    Raises:
        RawLayoutError: the pixel format is unset or unknown, or there are more planes than any format has.
        InvalidOption: the rotation is unknown.
    """
    try:
        rotation = rotation_from_proto(image.rotation, "image.rotation")
    except ConvertError as error:
        raise InvalidOption(str(error)) from error
    kind = image.WhichOneof("content")
    if kind == "encoded":
        return Picture(EncodedImage(image.encoded, image.ignore_exif), rotation)
    if kind == "raw":
        return Picture(_raw_layout(image.raw), rotation)
    return Picture(None, rotation)


def deadline_from_proto(deadline: Duration | None, time_remaining: float | None, arrived: float) -> float | None:
    """The earlier of the request's own deadline and the transport's (seconds from now), in monotonic seconds.

    Raises:
        InvalidOption: the request's deadline is no valid one, or not above 0.
    """
    ends = [] if time_remaining is None else [monotonic() + time_remaining]
    if deadline is not None:
        try:
            seconds = duration_from_proto(deadline, "deadline")
        except ConvertError as error:
            raise InvalidOption(str(error)) from error
        if not seconds > 0:
            raise InvalidOption(f"deadline is {seconds:g} s, must be above 0")
        ends.append(arrived + seconds)
    return min(ends, default=None)


async def first_config(
    messages: AsyncIterator[service_pb2.AnalyzeStreamRequest | Malformed],
    models: tuple[ModelInfo, ...],
    *,
    limit_s: float,
    ending: asyncio.Event,
) -> StreamConfig:
    """The configuration that begins a stream.

    Raises:
        StreamOrder: the first message is something else, or there is none.
        InvalidOption: it cannot be read, or asks for too much.
        DeadlineExceeded: it did not come within `limit_s` seconds.
        NotReady: `ending` was set before it came.
    """
    first = await first_message(anext(messages, None), "configuration", limit_s=limit_s, ending=ending)
    message = None if first is None else whole(first)
    if message is None or message.WhichOneof("kind") != "config":
        raise StreamOrder("the first message of a stream must be its configuration")
    return await beside_loop(message.config.history, partial(_stream_config, message.config, axes_of(models)))


def _stream_config(message: service_pb2.StreamConfig, axes: Mapping[str, Axis]) -> StreamConfig:
    _limit_names(message.options)
    _limit("history", len(message.history), MAX_HISTORY_ROWS, "rows")
    _limit("history", sum(len(row.analysis.faces) for row in message.history), MAX_HISTORY_FACES, "faces")
    try:
        config = stream_config_from_proto(message, axes)
    except ConvertError as error:
        raise InvalidOption(str(error)) from error
    check_history(config.history)
    return config


async def frames(messages: AsyncIterator[service_pb2.AnalyzeStreamRequest | Malformed]) -> AsyncIterator[StreamFrame]:
    """The frames that follow the configuration.

    Raises:
        StreamOrder: a message holds something else.
        InvalidOption: a message cannot be read.
    """
    async for received in messages:
        message: service_pb2.AnalyzeStreamRequest = whole(received)
        kind = message.WhichOneof("kind")
        if kind == "config":
            raise StreamOrder("a stream has one configuration, its first message")
        if kind != "frame":
            raise StreamOrder("a message of the stream holds neither configuration nor frame")
        frame = _frame(message.frame)
        # What is suspended here would keep the message until the next one comes.
        del received, message
        yield frame
        del frame


def _limit_names(options: options_pb2.AnalysisOptions) -> None:
    _limit("options.attributes", len(options.attributes.names), _MAX_NAMES, "names")


def _limit(field: str, count: int, most: int, what: str) -> None:
    if count > most:
        raise InvalidOption(f"{field} has {count} {what}, there may be {most}")


def _frame(frame: service_pb2.Frame) -> StreamFrame:
    picture: Picture | FacedError
    try:
        picture = picture_from_proto(frame.image)
    except FacedError as error:
        # Its traceback would hold the message.
        picture = error.with_traceback(None)
    return StreamFrame(frame.frame_id, picture, frame.media_time_us if frame.HasField("media_time_us") else None)


def _raw_layout(raw: image_pb2.RawImage) -> RawLayout:
    pixel_format = _FORMATS.get(raw.pixel_format)
    if pixel_format is None:
        what = f"has the value {raw.pixel_format}, which is unknown here" if raw.pixel_format else "is not set"
        raise RawLayoutError(f"image.raw.pixel_format {what}")
    if len(raw.planes) > MOST_PLANES:
        raise RawLayoutError(f"image.raw has {len(raw.planes)} planes, no format has more than {MOST_PLANES}")
    planes = tuple(Plane(plane.data, plane.row_stride, plane.pixel_stride) for plane in raw.planes)
    return RawLayout(pixel_format, raw.width, raw.height, planes)
