"""Cameras on the network: RTSP, HTTP and whatever else FFmpeg reads; a stream that breaks is opened again."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Iterator

import av
from av.container import InputContainer
from av.video.frame import VideoFrame

from faced_cli.errors import InputError
from faced_cli.frames import upright_rgb
from faced_cli.pace import Pace
from faced_proto.types import RgbImage

_OPEN_S, _READ_S = 10.0, 5.0
"""What opening may take, and the longest silence of a stream."""
_SILENT = "does not answer"
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
_OPTIONS = {"rtsp_transport": "tcp"}  # whole frames: lost datagrams are smeared faces


def redacted(url: str) -> str:
    """`url` without name, password and query: what is left may be shown and logged."""
    scheme, _, rest = url.partition("://")
    # A password may hold any of /?#@ unescaped; so all before the last @ is taken for it.
    secret, at, place = rest.rpartition("@")
    place, query, _ = place.partition("?")
    place = re.sub(r"#.*", "", place)
    return f"{scheme}://{'***@' if secret or at else ''}{place}{'?***' if query else ''}"


class CameraUrl:
    """A `Feed`. One that says how long it is plays once, at its own rate; any other is opened again when it ends.

    Raises:
        InputError: it cannot be opened the first time.
    """

    def __init__(self, url: str) -> None:
        self.name = redacted(url)
        self.notice = ""
        self._url = url
        self._container: InputContainer | None = None
        begun = time.monotonic()
        try:
            self._container = self._opened()
        except (av.error.FFmpegError, ValueError) as error:
            late = time.monotonic() - begun >= _OPEN_S
            raise InputError(f"{self.name}: {_SILENT if late else f'cannot be opened ({_reason(error)})'}") from None
        rate = self._container.streams.video[0].average_rate
        self.rate = float(rate) if rate else None
        self._finite = bool(self._container.duration)
        self._last_s = -math.inf  # of what is finite: the time of the newest picture that was given

    def pictures(self, stop: threading.Event) -> Iterator[tuple[RgbImage, float | None]]:
        """See `Feed`; a stream that breaks or falls silent is opened again, after longer and longer pauses.

        One that is finite goes on behind its newest picture.

        Raises:
            InputError: one that is finite gives no more pictures, however often it is opened.
        """
        pause = _FIRST_PAUSE_S
        while not stop.is_set():
            reason = "ended"
            try:
                if self._container is None:
                    self._container = self._opened()
                for picture in self._played(self._container, stop):
                    self.notice = ""
                    pause = _FIRST_PAUSE_S
                    yield picture
                if self._finite:
                    return
            except (av.error.FFmpegError, ValueError) as error:
                reason = _reason(error)
            self.close()
            if stop.is_set():
                return
            if self._finite and pause >= _LONGEST_PAUSE_S:
                raise InputError(f"{self.name}: cannot be read behind {max(0.0, self._last_s):.1f} s ({reason})")
            self.notice = f"reconnecting in {pause:g} s ({reason})"
            stop.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def close(self) -> None:
        """Ends the connection."""
        container, self._container = self._container, None
        if container is not None:
            container.close()

    def _opened(self) -> InputContainer:
        container = av.open(self._url, options=_OPTIONS, timeout=(_OPEN_S, _READ_S), metadata_errors="replace")
        if not container.streams.video:
            container.close()
            raise ValueError("there is no video in it")
        # Threads that take a frame each would hold back as many frames as there are threads.
        container.streams.video[0].thread_type = "SLICE"
        return container

    def _played(self, container: InputContainer, stop: threading.Event) -> Iterator[tuple[RgbImage, float | None]]:
        stream = container.streams.video[0]
        pace, start = Pace(), stream.start_time or 0
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                continue  # the next key frame mends it
            for frame in frames:
                if stop.is_set():
                    return
                if not isinstance(frame, VideoFrame) or frame.is_corrupt:
                    continue
                time_s = None
                if self._finite and frame.pts is not None and stream.time_base is not None:
                    time_s = float((frame.pts - start) * stream.time_base)
                    if time_s <= self._last_s:
                        continue  # given before the stream broke; servers refuse times that decrease
                    self._last_s = time_s
                image = upright_rgb(frame, frame.width, frame.height)
                if time_s is not None:
                    pace.wait(time_s, stop)
                yield image, time_s


def _reason(error: Exception) -> str:
    # The whole text of FFmpeg's errors has the address in it, and with that the password.
    if isinstance(error, av.error.ExitError):  # its time was up
        return _SILENT
    if isinstance(error, av.error.FFmpegError):
        return (error.strerror or type(error).__name__).lower()
    return str(error)
