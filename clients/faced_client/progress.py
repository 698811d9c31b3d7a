"""One stream's frames and what has become of them, over all the calls that it takes; pure but for a lock."""

import threading
from collections import deque
from dataclasses import dataclass, replace

from faced_client.errors import InvalidImage, InvalidRequest, ProtocolError, RequestTooLarge, Unavailable
from faced_client.history import History
from faced_client.images import ImageForm, ImageInput, image_message
from faced_proto import convert
from faced_proto.types import (
    Axis,
    DropReason,
    ErrorReason,
    FrameDropped,
    FrameFailure,
    FrameOutcome,
    StreamConfig,
    StreamMode,
    StreamStarted,
)
from faced_proto.v1 import image_pb2, service_pb2

LAST_FRAME_S = 1.0
"""How long a frame that is being drawn is waited for when the server has ended a call: it may be none."""


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


@dataclass(frozen=True, slots=True)
class _Unanswered:
    """A frame's request; `failure` says more than the server can where its picture could not be sent."""

    frame_id: int
    request: service_pb2.AnalyzeStreamRequest
    failure: FrameFailure | None


def stream_config(config: StreamConfig | None, mode: StreamMode | None) -> StreamConfig:
    """The configuration, or the default one, with `mode` in place of its own where given."""
    config = config or StreamConfig()
    return config if mode is None else replace(config, mode=mode)


class StreamProgress:
    """Holds every frame until it is answered, so that a call that breaks can be followed by another.

    Only the newest call sends, and only frames that are unanswered; what it reads must answer what it sent, in order.
    So no frame is lost, and none is answered twice. Frames are added by one thread, sent by another and answered in a
    third. A call is any object of its own.
    """

    def __init__(self, config: StreamConfig, form: ImageForm, max_message_bytes: int) -> None:
        self._config = config
        self._form = form
        self._max_message_bytes = max_message_bytes
        self._history = History(config, max_message_bytes)
        self._lock = threading.Lock()
        self._call: object = None
        self._unsent: deque[_Unanswered] = deque()
        self._sent: deque[_Unanswered] = deque()
        self._last_id = -1
        self._axes: dict[str, Axis] = {}
        self._started = False
        self._draining = False

    @property
    def unanswered(self) -> int:
        """How many frames have no outcome yet."""
        return len(self._sent) + len(self._unsent)

    def begin(self, call: object) -> service_pb2.AnalyzeStreamRequest:
        """The first request of a new call, after which all unanswered frames are to be sent in it.

        Raises:
            InvalidRequest: a part of the configuration cannot be sent.
        """
        config = replace(self._config, history=self._history.rows())
        try:
            request = service_pb2.AnalyzeStreamRequest(config=convert.stream_config_to_proto(config))
        except convert.ConvertError as error:
            raise InvalidRequest(str(error), ErrorReason.INVALID_OPTION) from error
        with self._lock:
            self._call = call
            self._unsent.extendleft(reversed(self._sent))
            self._sent.clear()
            self._started = self._draining = False
        return request

    def end(self) -> None:
        """The newest call sends no more."""
        with self._lock:
            self._call = None

    def is_newest(self, call: object) -> bool:
        """Whether frames are still drawn for this call."""
        return self._call is call

    def add(self, frame: ImageInput | StreamFrame) -> None:
        """A new frame, to be sent in its turn.

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
        request = service_pb2.AnalyzeStreamRequest(frame=message)
        with self._lock:
            self._unsent.append(_Unanswered(number, request, failure))

    def next_request(self, call: object) -> service_pb2.AnalyzeStreamRequest | None:
        """The next frame that `call` has to send; None: there is none, or not in this call."""
        with self._lock:
            if self._call is not call or self._draining or not self._unsent:
                return None
            self._sent.append(self._unsent.popleft())
            return self._sent[-1].request

    def read(self, message: service_pb2.AnalyzeStreamResponse) -> StreamStarted | FrameOutcome | Draining:
        """What a reply of the newest call says.

        Raises:
            ProtocolError: it is not whole, or out of order.
            Unavailable: the server is stopping and gave the frame back; it and those after it need another call.
        """
        kind = message.WhichOneof("kind")
        if (kind == "started") == self._started:
            raise ProtocolError(f"the server's stream {'started twice' if self._started else f'began with {kind}'}")
        try:
            if kind == "started":
                started = convert.stream_started_from_proto(message.started)
                self._axes = convert.axes_of(started.models)
                self._started = True
                self._history.keep(started.history_span)
                return started
            if kind == "outcome":
                return self._read_outcome(convert.frame_outcome_from_proto(message.outcome, self._axes))
            if kind == "draining":
                self._draining = True
                return Draining(convert.duration_from_proto(message.draining.grace, "draining.grace"))
        except convert.ConvertError as error:
            raise ProtocolError(f"the server's reply is not understood: {error}") from error
        raise ProtocolError("the server's reply is of a kind that is unknown here")

    def check_end(self, *, all_frames_drawn: bool) -> None:
        """To be called when the server has closed a call without an error.

        Raises:
            Unavailable: the server is stopping, and there are more frames, or some that it no longer read.
            ProtocolError: frames are unanswered, or the stream ended before the frames did.
        """
        unanswered = self.unanswered
        if self._draining and (unanswered or not all_frames_drawn):
            raise _stopping()
        if unanswered:
            raise ProtocolError(f"the server ended the stream with {unanswered} frames unanswered")
        if not all_frames_drawn:
            raise ProtocolError("the server ended the stream before the frames did")

    def _read_outcome(self, outcome: FrameOutcome) -> FrameOutcome:
        expected = self._sent[0] if self._sent else None
        if expected is None or outcome.frame_id != expected.frame_id:
            wanted = None if expected is None else expected.frame_id
            raise ProtocolError(f"the server answered frame {outcome.frame_id} where {wanted} is the next")
        if _was_given_back(outcome):
            raise _stopping()
        with self._lock:
            self._sent.popleft()
        if expected.failure is not None:
            outcome = replace(outcome, result=expected.failure)
        self._history.add(outcome)
        return outcome

    def _image(self, image: ImageInput) -> tuple[image_pb2.Image, FrameFailure | None]:
        try:
            return image_message(image, self._form, self._max_message_bytes), None
        except (InvalidImage, RequestTooLarge) as error:
            return image_pb2.Image(), FrameFailure(error.reason or ErrorReason.IMAGE_UNSUPPORTED, str(error))


def _was_given_back(outcome: FrameOutcome) -> bool:
    """Whether the server said of a frame only that it will not look at it any more."""
    result = outcome.result
    if isinstance(result, FrameDropped):
        return result.reason is DropReason.DRAINING
    return isinstance(result, FrameFailure) and result.reason is ErrorReason.NOT_READY


def _stopping() -> Unavailable:
    return Unavailable("the server is stopping; the remaining frames need a new stream", ErrorReason.NOT_READY)
