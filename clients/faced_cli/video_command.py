"""`faced-cli video`: a video in; an annotated video and a row for each frame out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import faced_client
from faced_cli.arguments import VideoArguments
from faced_cli.connection import reach
from faced_cli.drawing_style import Blur
from faced_cli.errors import InputError
from faced_cli.frames import SourceFrame, VideoSource
from faced_cli.overlay import annotate, concealed
from faced_cli.refusal import command_error, frame_error
from faced_cli.render import JsonObject, frame_dropped_object, frame_error_object, frame_object
from faced_cli.rows_file import RowsFile
from faced_cli.terminal import is_standard_output, print_text, tell, visible
from faced_cli.video_file import VideoFile
from faced_cli.video_outputs import check_outputs
from faced_cli.video_progress import VideoProgress
from faced_cli.video_threads import Decoding, Encoding
from faced_proto.types import FrameAnalysis, FrameFailure, FrameOutcome, RgbImage, StreamConfig, StreamMode


def run_video(arguments: VideoArguments) -> int:
    """Analyses every frame; what is finished is kept and told, whatever happens. Returns the exit code.

    Raises:
        CommandError: input, output or server fail, or frames did.
    """
    check_outputs(arguments.source, arguments.output, arguments.jsonl, force=arguments.force)
    with ExitStack() as stack:
        source = stack.enter_context(VideoSource(arguments.source))
        reached = stack.enter_context(reach(arguments.connection))
        encode = arguments.encode or ("raw" if reached.embedded else "jpeg:95")
        run = _Run(arguments, source)
        try:
            run.analyse(reached.client, encode)
        except faced_client.FacedError as error:
            raise command_error(error, str(arguments.source)) from error
        finally:
            run.tell()
        run.check()
    return 0


class _Run:
    """One video on its way from file to files."""

    def __init__(self, arguments: VideoArguments, source: VideoSource) -> None:
        self._arguments = arguments
        self._source = source
        self._name = str(arguments.source)
        self._video = VideoFile(arguments.output, source.form) if arguments.output is not None else None
        self._rows = RowsFile(arguments.jsonl) if arguments.jsonl is not None else None
        self._progress = VideoProgress(arguments.source.name, source.frame_estimate)
        self._complete = False
        self._end_s = 0.0
        self._in_flight: deque[SourceFrame] = deque()
        self._first_failure: tuple[SourceFrame, FrameFailure] | None = None

    def analyse(self, client: faced_client.Client, encode: str) -> None:
        """Decodes, analyses, writes rows, draws and encodes, all at the same time."""
        wishes = self._arguments.wishes
        config = StreamConfig(
            mode=StreamMode.EVERY_FRAME,
            options=wishes.options(auto_upsample=1),
            scan_interval=self._arguments.scan_interval,
        )
        with ExitStack() as stack:
            rows = stack.enter_context(self._rows) if self._rows is not None else None
            stack.enter_context(self._progress)
            encoding = stack.enter_context(Encoding(self._video)) if self._video is not None else None
            decoding = stack.enter_context(Decoding(self._source))
            outcomes = client.stream(self._sent(decoding.frames()), config, encode=encode)
            for outcome in stack.enter_context(closing(outcomes)):
                frame = self._in_flight.popleft()
                self._count(frame, outcome)
                if rows is not None:
                    rows.write(self._row(frame, outcome))
                if encoding is not None and not encoding.put(frame, self._drawn(frame, outcome)):
                    return
            self._complete = True

    def tell(self) -> None:
        """Prints what was done, and on standard error what was left out."""
        tally = self._progress.tally
        if tally.frames == 0:
            return
        for note in self._notes():
            tell(f"{self._name}: {note}")
        targets = [
            f"{path}" if count == tally.frames else f"{path} (the first {count})" for path, count in self._held()
        ]
        seconds = tally.seconds
        summary = (
            f"{self._name}: {tally.frames} frames, {tally.faces} faces, {seconds:.1f} s,"
            f" {tally.frames / max(seconds, 1e-6):.1f} frames/s -> {', '.join(targets)}"
        )
        if self._rows is not None and is_standard_output(self._rows.path):
            tell(summary)
        else:
            print_text(visible(summary) + "\n")

    def check(self) -> None:
        """To be called at the end.

        Raises:
            CommandError: frames failed, or the end of the video could not be read.
        """
        if self._first_failure is not None:
            frame, failure = self._first_failure
            count = self._progress.tally.failed
            told = f"{self._name}: frame {frame.index} at {frame.time_s:.3f} s failed: {failure.message}"
            raise frame_error(failure, told if count == 1 else f"{told} ({count} frames failed, this one first)")

        if self._complete and self._is_cut_short():
            raise InputError(
                f"{self._name}: unreadable from frame {self._progress.tally.frames} on, at {self._end_s:.3f} s"
                + (f" of {self._source.announced_s:.3f} s" if self._source.announced_s is not None else "")
            )

    def _is_cut_short(self) -> bool:
        announced_s = self._source.announced_s
        # A frame that is cut out at the end, as by an edit list, is no damage.
        short = announced_s is not None and self._end_s < 0.98 * announced_s - 2 / self._source.form.rate
        return self._source.given_up or short

    def _held(self) -> Iterator[tuple[Path, int]]:
        if self._video is not None:
            yield self._video.path, self._video.frames
        if self._rows is not None:
            yield self._rows.path, self._rows.count

    def _sent(self, frames: Iterator[SourceFrame]) -> Iterator[faced_client.StreamFrame]:
        # Drawn by the SDK, no further ahead than the server allows: so few frames are in flight.
        for frame in frames:
            self._in_flight.append(frame)
            yield faced_client.StreamFrame(frame.image, media_time_us=round(frame.time_s * 1e6), frame_id=frame.index)

    def _row(self, frame: SourceFrame, outcome: FrameOutcome) -> JsonObject:
        match outcome.result:
            case FrameAnalysis():
                return frame_object(self._name, frame.index, frame.time_s, outcome.result)
            case FrameFailure(reason, message):
                return frame_error_object(self._name, frame.index, frame.time_s, reason.value, message)
            case dropped:
                return frame_dropped_object(self._name, frame.index, frame.time_s, dropped.reason.value)

    def _drawn(self, frame: SourceFrame, outcome: FrameOutcome) -> RgbImage:
        style = self._arguments.style
        if isinstance(outcome.result, FrameAnalysis):
            return annotate(frame.image, outcome.result, style)
        # Nobody knows where the faces are.
        return frame.image if style.blur is Blur.NONE else concealed(frame.image, Blur.ALL, ())

    def _count(self, frame: SourceFrame, outcome: FrameOutcome) -> None:
        result = outcome.result
        self._end_s = frame.time_s + float(frame.duration * self._source.form.time_base)
        if isinstance(result, FrameFailure):
            self._progress.tally.failed += 1
            self._first_failure = self._first_failure or (frame, result)
        elif not isinstance(result, FrameAnalysis):
            self._progress.tally.dropped += 1
        self._progress.add(len(result.faces) if isinstance(result, FrameAnalysis) else 0)

    def _notes(self) -> list[str]:
        notes = [*self._video.notes] if self._video is not None else []
        if self._source.damaged:
            notes.append(f"{self._source.damaged} broken packets or frames were left out or patched by the decoder")
        expected, read = self._source.frame_estimate, self._progress.tally.frames
        if self._complete and not self._is_cut_short() and expected is not None and read < 0.98 * expected - 1:
            notes.append(f"only {read} of about {expected} frames that the file announces could be read")
        if self._progress.tally.dropped:
            notes.append(f"{self._progress.tally.dropped} frames were dropped by the server")
        return notes
