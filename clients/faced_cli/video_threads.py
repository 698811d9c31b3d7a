"""Decoding and encoding beside the work of the server, with a few frames between them and never more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from faced_cli.channel import Channel
from faced_cli.end_signals import end_signals_held
from faced_cli.frames import SourceFrame
from faced_cli.video_file import VideoFile
from faced_proto.types import RgbImage

_FRAMES_BETWEEN = 3


class Decoding:
    """Draws frames from their source in a thread; a context manager, after whose end the source may be closed."""

    def __init__(self, frames: Iterator[SourceFrame]) -> None:
        self._frames = frames
        self._channel: Channel[SourceFrame] = Channel(_FRAMES_BETWEEN)
        self._thread = threading.Thread(target=self._run, name="faced-decode", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with end_signals_held():
            self._channel.abandon()
            self._thread.join()

    def frames(self) -> Iterator[SourceFrame]:
        """The frames in order; raises what decoding raised."""
        return iter(self._channel)

    def _run(self) -> None:
        try:
            for frame in self._frames:
                if not self._channel.put(frame):
                    return
        except BaseException as error:  # noqa: BLE001  (raised again in the receiver's thread)
            self._channel.end(error)
        else:
            self._channel.end()


class Encoding:
    """Encodes pictures in a thread; a context manager that closes the video, playable, in any case."""

    def __init__(self, video: VideoFile) -> None:
        self._video = video
        self._channel: Channel[tuple[SourceFrame, RgbImage]] = Channel(_FRAMES_BETWEEN)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="faced-encode", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Whole if all went well: what waits is encoded, and the rest of the sound is added.

        Raises:
            InputError: the file could not be written, and nothing else had gone wrong.
        """
        with end_signals_held():
            self._channel.end()
            self._thread.join()
            if error is None and self._failure is None:
                self._video.finish()
            else:
                self._video.close()
        if error is None and self._failure is not None:
            raise self._failure

    @property
    def failed(self) -> bool:
        """The file cannot be written, and leaving says why."""
        return self._failure is not None

    def offer(self, frame: SourceFrame, image: RgbImage) -> bool:
        """As `put`, but without waiting; false = also where there is no room just now, and the image is left out."""
        return self._channel.offer((frame, image))

    def put(self, frame: SourceFrame, image: RgbImage) -> bool:
        """Adds `image` at the time of `frame`; false = the file cannot be written, and leaving says why."""
        return self._channel.put((frame, image))

    def _run(self) -> None:
        try:
            for frame, image in self._channel:
                self._video.write(frame, image)
        except BaseException as error:  # noqa: BLE001  (raised again when the caller leaves)
            self._failure = error
            self._channel.abandon()
