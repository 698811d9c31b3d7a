"""One video on its way from file to files: decoded, analysed, drawn and encoded, all at the same time."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

import faced_client
from faced_cli.drawing_style import DrawingStyle
from faced_cli.frames import SourceFrame, VideoSource
from faced_cli.journal import JournalEntry
from faced_cli.overlay import annotate_outcome
from faced_cli.video_file import VideoFile
from faced_cli.video_row import VideoRow
from faced_cli.video_threads import Decoding, Encoding
from faced_proto.types import FrameOutcome, RgbImage, StreamConfig

_MOST_HELD = 24
"""Frames that are decoded and not yet drawn: those that were sent, and those between them."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a run begins: after `rows` rows of the one before, and with `drawn` frames of its video.

    `redraw` are the rows of frames that were analysed and not drawn.
    """

    rows: int = 0
    drawn: int = 0
    redraw: Iterator[JournalEntry] = field(default_factory=lambda: iter(()))


class VideoRun:
    """Analyses every `every`th frame of a source; `emit` gets each row in order, `video` each frame with its faces.

    The faces of a frame stay on those that follow until the next one that is analysed.
    """

    def __init__(
        self,
        source: VideoSource,
        name: str,
        video: VideoFile | None,
        emit: Callable[[VideoRow], None],
        *,
        every: int,
        style: DrawingStyle,
        beginning: Beginning,
    ) -> None:
        self._source = source
        self._name = name
        self._video = video
        self._emit = emit
        self._every = every
        self._style = style
        self._first_sent = beginning.rows * every
        self._first_drawn = beginning.drawn
        self._redraw = beginning.redraw
        self._changed = threading.Condition()
        self._held: deque[SourceFrame] = deque()
        self._ended = False
        self._newest: FrameOutcome | None = None

    def analyse(self, client: faced_client.Client, config: StreamConfig, encode: str) -> None:
        """Runs to the end.

        Raises:
            FacedError: the server failed.
            InputError: a file cannot be read or written.
        """
        with ExitStack() as stack:
            encoding = stack.enter_context(Encoding(self._video)) if self._video is not None else None
            decoding = stack.enter_context(Decoding(self._source.frames(self._is_wanted)))
            sent = self._sent(decoding.frames(), encoding)
            outcomes = stack.enter_context(closing(client.stream(sent, config, encode=encode)))
            stack.callback(self._end)
            for outcome in outcomes:
                frame = self._held[0]
                self._emit(self._row(frame, outcome))
                with self._changed:
                    self._held.popleft()
                    self._newest = outcome
                    self._changed.notify_all()
                    if not self._draw(encoding, frame):
                        return  # leaving the encoder says why
                if not self._draw_held(encoding):
                    return

    def _is_wanted(self, index: int) -> bool:
        drawn = self._video is not None and index >= self._first_drawn
        return drawn or (index >= self._first_sent and index % self._every == 0)

    def _is_sent(self, frame: SourceFrame) -> bool:
        return frame.index >= self._first_sent and frame.index % self._every == 0

    def _sent(self, frames: Iterator[SourceFrame], encoding: Encoding | None) -> Iterator[faced_client.StreamFrame]:
        """Drawn by the SDK in its own thread, no further ahead than the server allows."""
        for frame in frames:
            if frame.index < self._first_sent:
                self._catch_up(frame)
                if not self._draw(encoding, frame):
                    return
                continue
            with self._changed:
                self._changed.wait_for(lambda: len(self._held) < _MOST_HELD or self._ended)
                if self._ended:
                    return
                self._held.append(frame)
            if self._is_sent(frame):
                time_us = round(frame.time_s * 1e6)
                yield faced_client.StreamFrame(frame.image, media_time_us=time_us, frame_id=frame.index)
            elif not self._draw_held(encoding):
                return

    def _catch_up(self, frame: SourceFrame) -> None:
        """What the run before had found in `frame`, or in the last one before it that was analysed."""
        while self._newest is None or self._newest.frame_id + self._every <= frame.index:
            entry = next(self._redraw, None)
            if entry is None or entry.outcome is None:
                return
            self._newest = entry.outcome

    def _draw_held(self, encoding: Encoding | None) -> bool:
        """Draws the frames after the newest outcome that were not sent; false = the video cannot be written."""
        # Under the lock, so that no thread draws a later frame before.
        while True:
            with self._changed:
                if not self._held or self._is_sent(self._held[0]):
                    return True
                frame = self._held.popleft()
                self._changed.notify_all()
                if not self._draw(encoding, frame):
                    return False

    def _draw(self, encoding: Encoding | None, frame: SourceFrame) -> bool:
        if encoding is None or frame.index < self._first_drawn:
            return True
        return encoding.put(frame, self._drawn(frame.image))

    def _drawn(self, image: RgbImage) -> RgbImage:
        result = None if self._newest is None else self._newest.result
        return annotate_outcome(image, result, self._style)

    def _row(self, frame: SourceFrame, outcome: FrameOutcome) -> VideoRow:
        shown_s = float(frame.duration * self._source.form.time_base)
        duration_s = shown_s * self._every
        left_s = math.inf if self._source.expected_end_s is None else self._source.expected_end_s - frame.time_s
        if left_s > -shown_s:  # else the file says less than it has
            duration_s = min(duration_s, max(shown_s, left_s))  # the last row has what is left
        return VideoRow(self._name, frame.index, frame.time_s, duration_s, outcome)

    def _end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
