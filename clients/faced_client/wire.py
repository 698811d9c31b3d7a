"""Requests and replies of both clients; pure."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from faced_client.errors import InvalidImage, InvalidRequest, ProtocolError, RequestTooLarge, Unavailable
from faced_client.images import ImageForm, ImageInput, image_message
from faced_proto import convert
from faced_proto.types import (
    AnalysisOptions,
    Axis,
    ErrorReason,
    FrameAnalysis,
    FrameFailure,
    FrameOutcome,
    ServerInfo,
    StreamConfig,
    StreamMode,
    StreamStarted,
)
from faced_proto.v1 import image_pb2, service_pb2


@dataclass(frozen=True, slots=True)
class StreamFrame:
    """A frame of a stream with what is known of it; None = the client counts from 0, the server takes its own time."""

    image: ImageInput
    media_time_us: int | None = None
    frame_id: int | None = None


@dataclass(frozen=True, slots=True)
class Draining:
    """The server is going away within `grace` seconds: it answers what it has and takes no more frames."""

    grace: float


def check_timeout(timeout: float) -> float:
    """The timeout itself.

    Raises:
        InvalidRequest: no positive number of seconds.
    """
    if not (math.isfinite(timeout) and timeout > 0):
        raise InvalidRequest(f"timeout: {timeout} is no positive number of seconds")
    return timeout


def analysis_options(
    upsample_times: int | None,
    min_face_px: int | None,
    threshold: float | None,
    max_faces: int | None,
    attributes: Sequence[str] | None,
) -> AnalysisOptions:
    """Options as a value; their ranges are the server's to judge.

    Raises:
        InvalidRequest: `attributes` is one string instead of several.
    """
    if isinstance(attributes, str):
        raise InvalidRequest(f"attributes: a sequence of names is wanted, as in [{attributes!r}]")
    names = None if attributes is None else tuple(attributes)
    return AnalysisOptions(upsample_times, min_face_px, threshold, max_faces, names)


def stream_config(config: StreamConfig | None, mode: StreamMode | None) -> StreamConfig:
    """The configuration, or the default one, with `mode` in place of its own where given."""
    config = config or StreamConfig()
    return config if mode is None else replace(config, mode=mode)


def analyze_request(
    image: ImageInput, form: ImageForm, options: AnalysisOptions, timeout: float, max_message_bytes: int
) -> service_pb2.AnalyzeRequest:
    """`timeout` travels too, for servers behind a transport without deadlines.

    Raises:
        InvalidRequest: the picture or an option cannot be sent.
    """
    try:
        return service_pb2.AnalyzeRequest(
            image=image_message(image, form, max_message_bytes),
            options=convert.analysis_options_to_proto(options),
            deadline=convert.duration_to_proto(timeout, "timeout"),
        )
    except convert.ConvertError as error:
        raise InvalidRequest(str(error), ErrorReason.INVALID_OPTION) from error


def read_analysis(message: service_pb2.AnalyzeResponse, info: ServerInfo | None) -> FrameAnalysis:
    """The analysis; `info` has the axes where the reply carries none.

    Raises:
        ProtocolError: the reply is not whole.
    """
    axes = convert.axes_of(info.models) if info else {}
    try:
        return convert.frame_analysis_from_proto(message.analysis, axes)
    except convert.ConvertError as error:
        raise ProtocolError(f"the server's reply is not understood: {error}") from error


def read_server_info(message: service_pb2.GetServerInfoResponse) -> ServerInfo:
    """What the server says of itself.

    Raises:
        ProtocolError: the reply is not whole.
    """
    try:
        return convert.server_info_from_proto(message)
    except convert.ConvertError as error:
        raise ProtocolError(f"the server's reply is not understood: {error}") from error


class StreamProgress:
    """One stream's order of messages: which frames are unanswered, and what each reply means.

    Frames are made by one thread and replies read by another; `_unanswered` and `_unsendable` are shared, and each
    single step on them is atomic.
    A client that reconnects would keep its frames here until they are answered, and begin a new one of these.
    """

    def __init__(self, config: StreamConfig, form: ImageForm, max_message_bytes: int) -> None:
        self._config = config
        self._form = form
        self._max_message_bytes = max_message_bytes
        self._last_id = -1
        self._unanswered: deque[int] = deque()
        self._unsendable: dict[int, FrameFailure] = {}
        self._axes: dict[str, Axis] = {}
        self._started = False
        self._draining = False

    def config_request(self) -> service_pb2.AnalyzeStreamRequest:
        """The first request.

        Raises:
            InvalidRequest: a part of the configuration cannot be sent.
        """
        try:
            return service_pb2.AnalyzeStreamRequest(config=convert.stream_config_to_proto(self._config))
        except convert.ConvertError as error:
            raise InvalidRequest(str(error), ErrorReason.INVALID_OPTION) from error

    def frame_request(self, frame: ImageInput | StreamFrame) -> service_pb2.AnalyzeStreamRequest:
        """The request of the next frame, which counts as unanswered from now on.

        A picture that cannot be sent travels as none: so its failure takes its turn, under the server's credits.

        Raises:
            InvalidRequest: its number does not increase, or its time is none.
            ConfigurationError: encoding is needed and OpenCV is not installed.
        """
        if not isinstance(frame, StreamFrame):
            frame = StreamFrame(frame)
        number = self._last_id + 1 if frame.frame_id is None else frame.frame_id
        if not self._last_id < number < 2**64:
            problem = f"frame_id: {number} after {self._last_id} does not increase"
            raise InvalidRequest(problem, ErrorReason.STREAM_ORDER)
        image, failure = self._image(frame.image)
        try:
            message = service_pb2.Frame(frame_id=number, image=image, media_time_us=frame.media_time_us)
        except (ValueError, TypeError) as error:
            raise InvalidRequest(f"media_time_us: {error}", ErrorReason.INVALID_OPTION) from error
        self._last_id = number
        if failure is not None:
            self._unsendable[number] = failure
        self._unanswered.append(number)
        return service_pb2.AnalyzeStreamRequest(frame=message)

    def read(self, message: service_pb2.AnalyzeStreamResponse) -> StreamStarted | FrameOutcome | Draining:
        """What a reply says.

        Raises:
            ProtocolError: it is not whole, or out of order.
        """
        kind = message.WhichOneof("kind")
        if (kind == "started") == self._started:
            raise ProtocolError(f"the server's stream {'started twice' if self._started else f'began with {kind}'}")
        try:
            if kind == "started":
                started = convert.stream_started_from_proto(message.started)
                self._axes = convert.axes_of(started.models)
                self._started = True
                return started
            if kind == "outcome":
                return self._read_outcome(convert.frame_outcome_from_proto(message.outcome, self._axes))
            if kind == "draining":
                self._draining = True
                return Draining(convert.duration_from_proto(message.draining.grace, "draining.grace"))
        except convert.ConvertError as error:
            raise ProtocolError(f"the server's reply is not understood: {error}") from error
        raise ProtocolError("the server's reply is of a kind that is unknown here")

    def check_end(self, *, all_frames_sent: bool) -> None:
        """To be called when the server has closed the stream without an error.

        Raises:
            Unavailable: the server is stopping, and there are more frames, or some that it no longer read.
            ProtocolError: frames are unanswered, or the stream ended before the frames did.
        """
        if self._unanswered and not self._draining:
            raise ProtocolError(f"the server ended the stream with {len(self._unanswered)} frames unanswered")
        if self._draining and (self._unanswered or not all_frames_sent):
            raise Unavailable("the server is stopping; the remaining frames need a new stream", ErrorReason.NOT_READY)
        if not all_frames_sent:
            raise ProtocolError("the server ended the stream before the frames did")

    def _read_outcome(self, outcome: FrameOutcome) -> FrameOutcome:
        expected = self._unanswered[0] if self._unanswered else None
        if outcome.frame_id != expected:
            raise ProtocolError(f"the server answered frame {outcome.frame_id} where {expected} is the next")
        self._unanswered.popleft()
        failure = self._unsendable.pop(outcome.frame_id, None)  # says more than the server can
        return outcome if failure is None else replace(outcome, result=failure)

    def _image(self, image: ImageInput) -> tuple[image_pb2.Image, FrameFailure | None]:
        try:
            return image_message(image, self._form, self._max_message_bytes), None
        except (InvalidImage, RequestTooLarge) as error:
            return image_pb2.Image(), FrameFailure(error.reason or ErrorReason.IMAGE_UNSUPPORTED, str(error))
