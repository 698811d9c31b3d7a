"""Annotated frames as an H.264 MP4 file with the times of its frames, and the source's sound."""

from __future__ import annotations

import errno
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from faced_cli.audio_track import AudioTracks
from faced_cli.errors import InputError
from faced_cli.frames import SourceFrame, VideoForm
from faced_cli.output_file import OutputFile, clear
from faced_cli.partial_video import PartialVideo, parameters_of
from faced_proto.types import RgbImage

_MATRICES = frozenset({1, 4, 5, 6, 7, 9})
_BT601 = 5
_LIMITED_RANGE = 1
_OPTIONS = {
    # A broken run leaves fragments that play; closing rewrites the header as that of an ordinary MP4.
    "movflags": "hybrid_fragmented+frag_keyframe+delay_moov",
    # Copied AAC begins a little before 0; moving it there would move the frames too.
    "avoid_negative_ts": "disabled",
}
_ONE_THREAD_PX = 1280 * 720
_LOOKAHEAD = "mbtree=1:rc-lookahead=10"
"""With it `superfast` comes near `veryfast`: the same quality, a tenth more bytes, two thirds of the time."""
_SECONDS_PER_FRAGMENT = 1


class VideoFile:
    """Writes an MP4 file that is playable at any moment; a context manager. The file is made with the first frame.

    Fragments of a second are written as they come; closing makes an ordinary MP4 of them. There are no B-frames, so
    frames are written in the order of their times, which are the source's own.
    """

    def __init__(self, path: Path, form: VideoForm) -> None:
        self.path = path
        self._form = form
        self._muxer: _Muxer | None = None
        self._failure_told = False
        self._written = 0
        self._beside: Path | None = None
        self._beside_until = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What happened to the sound, if it was not copied."""
        return self._muxer.notes if self._muxer else ()

    @property
    def frames(self) -> int:
        """How many frames the closed file holds; counted in the file where a write failed."""
        return _playable(self.path) if self._failure_told else self._written

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def begin_anew(self) -> None:
        """Takes away what a run before left at `path`; to be called first of all.

        Raises:
            InputError: the file cannot be written.
        """
        try:
            clear(self.path)
        except OSError as error:
            raise self._unwritable(error) from error

    def carry_over(self, before: PartialVideo, most: int) -> int:
        """Takes over the first frames, `most` or fewer, of a run that was cut off; to be called first of all.

        This file is written beside that one, and takes its place as soon as it holds as much. Returns how many frames
        were taken: 0 where this encoder cannot go on with them.

        Raises:
            InputError: the file cannot be written.
        """
        self._beside = self.path.with_name(self.path.name + ".resumed")
        try:
            self._beside.unlink(missing_ok=True)
            self._muxer = _Muxer(self._beside, self._form, before.width, before.height)
            if self._muxer.parameters == before.parameters:
                for begin, duration, packet in before.frames(self._form.time_base):
                    if self._written == most:
                        break
                    self._muxer.copy(begin, duration, packet)
                    self._written += 1
        except (OSError, av.error.FFmpegError) as error:
            raise self._unwritable(error) from error
        # The muxer holds the newest fragment back.
        self._beside_until = self._written + self._muxer.fragment
        return self._written

    def write(self, frame: SourceFrame, image: RgbImage) -> None:
        """Adds `image` (uint8 [h, w, 3] RGB) at the time of `frame`, and the sound before it.

        Raises:
            InputError: the file cannot be written; what was finished before stays playable.
        """
        try:
            if self._muxer is None:
                height, width = image.shape[:2]
                self._muxer = _Muxer(self.path, self._form, width, height)
            self._muxer.write(frame, image)
            self._written += 1
            if self._beside is not None and self._written > self._beside_until:
                self._take_place()
        except (OSError, av.error.FFmpegError) as error:
            raise self._unwritable(error) from error

    def finish(self) -> None:
        """Writes the rest of the sound and closes.

        Raises:
            InputError: the file cannot be written.
        """
        try:
            if self._muxer is not None:
                self._muxer.write_rest()
        except (OSError, av.error.FFmpegError) as error:
            raise self._unwritable(error) from error
        self.close()

    def close(self) -> None:
        """Closes the file, whatever happened; frames that the encoder still holds are kept.

        Raises:
            InputError: its end cannot be written, and no write had failed before.
        """
        if self._muxer is None:
            return
        try:
            self._muxer.close(flush=not self._failure_told)
            if self._beside is not None and not self._failure_told:
                self._take_place()
        except (OSError, av.error.FFmpegError) as error:
            if not self._failure_told:  # else this is its echo
                raise self._unwritable(error) from error
        finally:
            if self._beside is not None:  # the older file holds more
                self._beside.unlink(missing_ok=True)

    def _take_place(self) -> None:
        # At a few frames a second the encoder may hold back even the first frame of its own.
        if self._beside is not None and self._beside.exists():
            self._beside.replace(self.path)
            self._beside = None

    def _unwritable(self, error: OSError | av.error.FFmpegError) -> InputError:
        self._failure_told = True
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            return InputError(f"{self.path}: no space left on the device; what was written before is kept")
        return InputError(f"{self.path}: cannot be written ({error.strerror or error})")


def _playable(path: Path) -> int:
    count = 0
    with suppress(OSError, av.error.FFmpegError):  # its end is missing
        if path.is_file():
            with av.open(str(path)) as container:
                for packet in container.demux(video=0):
                    count += packet.size > 0 and not packet.is_corrupt
    return count


class _Muxer:
    """An open MP4 file with its encoder and the sound that goes with it."""

    def __init__(self, path: Path, form: VideoForm, width: int, height: int) -> None:
        self._file = OutputFile(path)
        self._durations: dict[int, int] = {}
        self._begun = 0
        self._matrix = form.colours.matrix if form.colours.matrix in _MATRICES else _BT601
        self._closed = False
        self._flushed = False
        try:
            self._container: OutputContainer = av.open(self._file, "w", format="mp4", options=_OPTIONS)
            self._stream = self._encoder(form, width + width % 2, height + height % 2)
            self._audio = AudioTracks(form.sound, self._container) if form.sound is not None else None
        except BaseException:
            self._file.close()
            raise

    @property
    def parameters(self) -> frozenset[bytes]:
        """The encoder's parameter sets."""
        return parameters_of(self._stream)

    @property
    def fragment(self) -> int:
        """The most frames that a fragment has."""
        return self._stream.codec_context.gop_size

    @property
    def notes(self) -> tuple[str, ...]:
        """What happened to the sound, if it was not copied."""
        return tuple(self._audio.notes) if self._audio is not None else ()

    def write(self, frame: SourceFrame, image: RgbImage) -> None:
        """Encodes a frame and writes the sound that begins before it."""
        height, width = image.shape[:2]
        if (self._stream.width, self._stream.height) != (width, height):  # H.264's 4:2:0 has even sizes only
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        picture = VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p", dst_colorspace=self._matrix)
        picture.pts, picture.time_base = frame.pts, self._stream.codec_context.time_base
        if self._begun == 1:
            picture.pict_type = PictureType.I  # ends the first fragment at once: soon there is something to play
        self._begun += 1
        self._durations[frame.pts] = frame.duration
        self._mux_sound_until(frame.pts)
        self._mux(picture)

    def copy(self, begin: int, duration: int, packet: Packet[VideoStream]) -> None:
        """Writes an encoded frame and the sound that begins before it; times in ticks of the source."""
        self._begun += 1
        self._mux_sound_until(begin)
        packet.stream = self._stream
        packet.time_base = self._stream.codec_context.time_base
        packet.pts = packet.dts = begin
        packet.duration = duration
        self._container.mux(packet)

    def write_rest(self) -> None:
        """Writes what the encoder holds and the rest of the sound."""
        self._mux(None)
        if self._audio is not None:
            for packet in self._audio.rest():
                self._container.mux(packet)

    def close(self, *, flush: bool) -> None:
        """Ends the file, with what the encoder holds if `flush`; once is enough."""
        if self._closed:
            return
        self._closed = True
        try:
            if flush:
                self._mux(None)
        finally:
            try:
                self._container.close()
            finally:
                if self._audio is not None:
                    self._audio.close()
                self._file.close()

    def _encoder(self, form: VideoForm, width: int, height: int) -> VideoStream:
        # It has a thread of its own; more would take their time from the networks. Large pictures need them.
        threads = 1 if width * height <= _ONE_THREAD_PX else 0
        parameters = f"bframes=0:threads={threads}:{_LOOKAHEAD}"
        options = {"crf": "20", "preset": "superfast", "x264-params": parameters}
        stream = self._container.add_stream("libx264", rate=form.rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = form.time_base
        context = stream.codec_context
        context.time_base = form.time_base
        context.gop_size = max(1, round(_SECONDS_PER_FRAGMENT * form.rate))
        context.colorspace, context.color_range = form.colours.matrix, _LIMITED_RANGE
        context.color_primaries, context.color_trc = form.colours.primaries, form.colours.transfer
        if form.pixel_aspect is not None:
            context.sample_aspect_ratio = form.pixel_aspect
        context.open(strict=False)
        return stream

    def _mux_sound_until(self, begin: int) -> None:
        if self._audio is not None:
            for packet in self._audio.until(begin * self._stream.codec_context.time_base):
                self._container.mux(packet)

    def _mux(self, picture: VideoFrame | None) -> None:
        if picture is None and self._flushed:
            return
        self._flushed = picture is None
        for packet in self._stream.encode(picture):
            packet.duration = self._durations.pop(packet.pts, packet.duration) if packet.pts is not None else None
            self._container.mux(packet)
