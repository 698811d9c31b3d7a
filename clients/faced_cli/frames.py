"""Where frames come from: every frame of a video file, with its true time, turned upright."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import SideData, SideDataContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from faced_cli.errors import InputError
from faced_proto.types import RgbImage

_MOST_FAILED_READS = 10
"""Reads that fail in a row until the rest of a file is given up."""

_DECODER_DELAY = 32
"""The most frames that a decoder holds back: so late may come what was before a broken place."""


@dataclass(frozen=True, slots=True)
class SourceFrame:
    """One frame: `index` counts from 0, `time_s` is seconds from the stream's start.

    `pts` and `duration` are in ticks of `VideoForm.time_base`; 0 is where the file's earliest stream starts.
    """

    index: int
    time_s: float
    pts: int
    duration: int
    image: RgbImage


@dataclass(frozen=True, slots=True)
class ColourTags:
    """How a video's YUV is to be read: FFmpeg's numbers for matrix, primaries and transfer; 2 = not said."""

    matrix: int = 2
    primaries: int = 2
    transfer: int = 2


@dataclass(frozen=True, slots=True)
class VideoForm:
    """What a video that is written has from its source: seconds a tick, frames a second, how pixels are to be read.

    `pixel_aspect` is a pixel's width over its height (None = not said), `sound` the file that has the sound.
    """

    time_base: Fraction
    rate: Fraction
    pixel_aspect: Fraction | None = None
    colours: ColourTags = ColourTags()
    sound: Path | None = None


class VideoSource:
    """The frames of a video file; a context manager.

    `form` has its nominal frame rate and its unit of time, `start` is the second at which the earliest stream begins,
    `frame_estimate` how many frames the file announces (None = nothing),
    `announced_s` how long it says that its video is, in seconds (None = not said), `expected_end_s` the same, from the
    number of its frames where need be. `told` is what errors call the file. Of what was read so far: `read` is the
    number of frames, `end_s` where the last one ends, `damaged` how many packets and frames turned out broken,
    `gaps` from when to when nothing could be read, `given_up` whether the rest could not be.

    Raises:
        InputError: the file cannot be read or has no video.
    """

    def __init__(self, path: Path, told: str | None = None) -> None:
        self.path = path
        self._told = str(path) if told is None else told
        self.read = 0
        self.end_s = 0.0
        self.damaged = 0
        self.gaps: list[tuple[float, float]] = []
        self.given_up = False
        self._container = _open(path, self._told)
        try:
            self._stream = _video_stream(self._told, self._container)
            self._stream.thread_type = "AUTO"
            self.form = self._form()
            self.start = file_start(self._container)
            self.frame_estimate = self._estimate()
            self.announced_s = self._announced()
            self.expected_end_s = self._expected_end()
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Frees the file."""
        self._container.close()

    def frames(self, wanted: Callable[[int], bool] = lambda _: True) -> Iterator[SourceFrame]:
        """Every frame that can be read, in the order of its time; what is broken is counted and left out.

        Frames whose index is not `wanted` are left out, too, and cost less.

        Raises:
            InputError: there is none.
        """
        step = max(1, round(1 / (self.form.rate * self.form.time_base)))
        file_offset = round(self.start / self.form.time_base)
        stream_start = self._stream.start_time
        size: tuple[int, int] | None = None
        last: int | None = None
        damaged, broken_at = self.damaged, -_DECODER_DELAY - 1
        for frame in self._decoded():
            pts = frame.pts
            if pts is None:
                pts = (stream_start or 0) if last is None else last + step
            elif last is not None and pts <= last:
                pts = last + 1  # times that do not increase cannot be written again
            if stream_start is None:
                stream_start = pts
            size = size or (frame.width, frame.height)
            last = pts
            time_s = float((pts - stream_start) * self.form.time_base)
            duration = frame.duration or step
            if self.damaged > damaged:
                damaged, broken_at = self.damaged, self.read
            if self.read - broken_at <= _DECODER_DELAY and time_s - self.end_s > 0.5 / self.form.rate:
                self.gaps.append((self.end_s, time_s))
            index, self.read = self.read, self.read + 1
            self.end_s = time_s + float(duration * self.form.time_base)
            if wanted(index):
                yield SourceFrame(index, time_s, pts - file_offset, duration, upright_rgb(frame, *size))
        if self.read == 0:
            raise InputError(f"{self._told}: the video holds no frame that can be read")

    def _decoded(self) -> Iterator[VideoFrame]:
        for packet in self._packets():
            try:
                frames = packet.decode()
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self.damaged += 1
                continue
            for frame in frames:
                if isinstance(frame, VideoFrame):
                    self.damaged += frame.is_corrupt
                    yield frame

    def _packets(self) -> Iterator[av.Packet[VideoStream]]:
        failed = 0
        while failed < _MOST_FAILED_READS:
            try:
                for packet in self._container.demux(self._stream):
                    failed = 0
                    yield packet
                return
            except av.error.FFmpegError:
                self.damaged += 1
                failed += 1
        self.given_up = True

    def _form(self) -> VideoForm:
        stream, context = self._stream, self._stream.codec_context
        return VideoForm(
            time_base=Fraction(stream.time_base or Fraction(1, 90_000)),
            rate=Fraction(stream.average_rate or stream.guessed_rate or 25),
            pixel_aspect=stream.sample_aspect_ratio or None,
            colours=ColourTags(int(context.colorspace), int(context.color_primaries), int(context.color_trc)),
            sound=self.path,
        )

    def _announced(self) -> float | None:
        if self._stream.duration:
            return float(self._stream.duration * self.form.time_base)
        # That of a file with sound may be the sound's.
        alone = len(self._container.streams) == 1
        return self._container.duration / av.time_base if alone and self._container.duration else None

    def _expected_end(self) -> float | None:
        if self.announced_s is None and self.frame_estimate is not None:
            return float(self.frame_estimate / self.form.rate)
        return self.announced_s

    def _estimate(self) -> int | None:
        if self._stream.frames > 0:
            return self._stream.frames
        if self._stream.duration:
            return round(self._stream.duration * self.form.time_base * self.form.rate)
        if self._container.duration:
            return round(Fraction(self._container.duration, av.time_base) * self.form.rate)
        return None


def file_start(container: InputContainer) -> Fraction:
    """Seconds at which the earliest video or audio stream of a file begins."""
    starts = [
        stream.start_time * stream.time_base
        for stream in (*container.streams.video, *container.streams.audio)
        if stream.start_time is not None and stream.time_base is not None
    ]
    return min(starts, default=Fraction(0))


def upright_rgb(frame: VideoFrame, width: int, height: int) -> RgbImage:
    """The frame as uint8 [h, w, 3] RGB of the given size before turning, turned as its display matrix says."""
    rgb = frame.to_ndarray(format="rgb24", width=width, height=height).astype(np.uint8, copy=False)
    # A frame's own `side_data` is a cycle: decoded pixels would stay until garbage is next collected.
    # (PyAV's stub leaves out that the container takes the frame.)
    matrix = SideDataContainer(frame).get("DISPLAYMATRIX")  # type: ignore[call-arg]
    return turned(rgb, np.frombuffer(memoryview(matrix), dtype=np.int32)) if isinstance(matrix, SideData) else rgb


def turned(image: NDArray[np.uint8], matrix: NDArray[np.int32]) -> RgbImage:
    """Quarter turns and mirrorings of a display matrix [9]: x' = a x + c y, y' = b x + d y (FFmpeg's display.h)."""
    a, b, c, d = (int(matrix[i]) for i in (0, 1, 3, 4))
    if abs(a) + abs(d) >= abs(b) + abs(c):
        flip_x, flip_y = a < 0, d < 0
    else:
        image = image.transpose(1, 0, 2)
        flip_x, flip_y = c < 0, b < 0
    image = image[:, ::-1] if flip_x else image
    image = image[::-1] if flip_y else image
    return np.ascontiguousarray(image)


def _open(path: Path, told: str) -> InputContainer:
    try:
        return av.open(str(path), metadata_errors="replace")
    except FileNotFoundError as error:
        raise InputError(f"{told}: there is no such file") from error
    except IsADirectoryError as error:
        raise InputError(f"{told}: is a folder, not a video") from error
    except OSError as error:
        raise InputError(f"{told}: cannot be read ({error.strerror or error})") from error
    except (av.error.FFmpegError, ValueError) as error:
        raise InputError(f"{told}: is no video that can be read ({_reason(error)})") from error


def _video_stream(told: str, container: InputContainer) -> VideoStream:
    # An audio file's cover picture is a video stream too.
    films = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not films:
        kinds = sorted({stream.type for stream in container.streams})
        raise InputError(f"{told}: there is no video in it" + (f", only {' and '.join(kinds)}" if kinds else ""))
    stream = films[0]
    if stream.codec_context is None:
        raise InputError(f"{told}: its video codec is not known")
    return stream


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, av.error.FFmpegError) else str(error)
