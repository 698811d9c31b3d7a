"""Requests and replies of both clients, but for those of streams; pure."""

import math
from collections.abc import Sequence

from faced_client.errors import InvalidRequest, ProtocolError
from faced_client.images import ImageForm, ImageInput, image_message
from faced_proto import convert
from faced_proto.types import (
    AnalysisOptions,
    ErrorReason,
    FrameAnalysis,
    ServerInfo,
)
from faced_proto.v1 import service_pb2


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
