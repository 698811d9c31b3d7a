"""One video of a command line: what it is made into, and what is told of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import faced_client
from faced_cli.arguments import VideoArguments
from faced_cli.errors import CommandError, InputError
from faced_cli.frames import VideoSource
from faced_cli.partial_video import partial_video
from faced_cli.refusal import frame_error
from faced_cli.video_file import VideoFile
from faced_cli.video_progress import VideoProgress
from faced_cli.video_resume import CutOff
from faced_cli.video_row import VideoRow
from faced_cli.video_run import Beginning, VideoRun
from faced_cli.video_summary import VideoSummary, clock, table
from faced_proto.types import FrameAnalysis, FrameDropped, FrameFailure, FrameOutcome, StreamConfig, StreamMode


class VideoJob:
    """Runs once; `write` gets its rows, `summary` counts them, together with those of a run before."""

    def __init__(
        self,
        arguments: VideoArguments,
        source: VideoSource,
        output: Path | None,
        summary: VideoSummary,
        write: Callable[[VideoRow], None],
    ) -> None:
        self.name = summary.source
        self._arguments = arguments
        self._source = source
        self._summary = summary
        self._write = write
        self._every = arguments.files.every
        self._video = VideoFile(output, source.form) if output is not None else None
        frames = source.frame_estimate
        expected = None if frames is None else -(-frames // self._every)
        self._progress = VideoProgress(source.path.name, expected, done=summary.frames, faces=summary.faces)
        self._began = time.monotonic()
        self._kept = summary.frames
        self._complete = False
        self._dropped = self._failed = 0
        self._first_failure: tuple[VideoRow, FrameFailure] | None = None

    def run(
        self, client: faced_client.Client, encode: str, cut_off: CutOff | None, history: Sequence[FrameOutcome]
    ) -> None:
        """Makes everything of the video that there is not yet.

        Raises:
            FacedError: the server failed.
            InputError: a file cannot be read or written.
        """
        half_life = self._arguments.half_life
        config = StreamConfig(
            mode=StreamMode.EVERY_FRAME,
            options=self._arguments.wishes.options(auto_upsample=1),
            scan_interval=self._arguments.scan_interval,
            track=half_life is not None,
            smoothing_half_life=half_life or None,
            history=history,
        )
        with ExitStack() as stack:
            stack.enter_context(self._progress)
            beginning = Beginning() if cut_off is None else self._after(cut_off, stack)
            run = VideoRun(
                self._source,
                self._summary.source,
                self._video,
                self._emit,
                every=self._every,
                style=self._arguments.style,
                beginning=beginning,
            )
            run.analyse(client, config, encode)
            self._complete = True

    def report(self, rows: Sequence[tuple[str, int | None]]) -> str:
        """What was done, for people; empty if nothing was.

        `rows` are the names of files with rows, and how many they have, None = as many as there should be.
        """
        summary = self._summary
        if summary.frames == 0:
            return ""
        seconds = max(time.monotonic() - self._began, 1e-6)
        held = [(str(self._video.path), self._video_rows())] if self._video is not None else []
        targets = [
            name if count in (None, summary.frames) else f"{name} (the first {count})" for name, count in [*held, *rows]
        ]
        counts = [f"{summary.frames} frames", f"{summary.faces} faces"]
        if self._arguments.half_life is not None:
            counts.append(f"{len(summary.tracks)} tracks" if len(summary.tracks) != 1 else "1 track")
        rate = (summary.frames - self._kept) / seconds
        line = f"{summary.source}: {', '.join(counts)}, {seconds:.1f} s, {rate:.1f} frames/s"
        if targets:
            line += f" -> {', '.join(targets)}"
        return "\n".join([line, *table(summary)])

    def notes(self) -> list[str]:
        """What was left out, in a sentence each."""
        notes = [*self._video.notes] if self._video is not None else []
        source = self._source
        if source.damaged:
            notes.append(f"{source.damaged} broken packets or frames were left out or patched by the decoder")
        notes += [f"nothing could be read from {clock(begin)} to {clock(end)}" for begin, end in source.gaps]
        expected = source.frame_estimate
        if self._complete and not self._is_cut_short() and expected is not None and source.read < 0.98 * expected - 1:
            notes.append(f"only {source.read} of about {expected} frames that the file announces could be read")
        if self._dropped:
            notes.append(f"{self._dropped} frames were dropped by the server")
        return notes

    def failure(self) -> CommandError | None:
        """What is wrong with a video that was read to its end: frames failed, or the end could not be read."""
        name = self._summary.source
        if self._first_failure is not None:
            row, failure = self._first_failure
            told = f"{name}: frame {row.frame} at {row.time_s:.3f} s failed: {failure.message}"
            more = f" ({self._failed} frames failed, this one first)" if self._failed > 1 else ""
            return frame_error(failure, told + more)
        if self._complete and self._is_cut_short():
            source = self._source
            of = f" of {source.announced_s:.3f} s" if source.announced_s is not None else ""
            return InputError(f"{name}: unreadable from frame {source.read} on, at {source.end_s:.3f} s{of}")
        return None

    def _after(self, cut_off: CutOff, stack: ExitStack) -> Beginning:
        """Where to go on; the frames that the cut-off video holds are taken over."""
        drawn = 0
        if self._video is not None:
            before = partial_video(self._video.path)
            if before is not None and cut_off.rows > 0:
                drawn = stack.enter_context(self._video).carry_over(before, cut_off.rows * self._every)
        return Beginning(cut_off.rows, drawn, cut_off.drawn_again(drawn // self._every))

    def _emit(self, row: VideoRow) -> None:
        if self._video is not None and self._summary.frames == 0:
            # As long as an older video lies there, nobody may note that rows of this one are done: a run that
            # goes on from them would take its frames over.
            self._video.begin_anew()
        result = row.outcome.result
        self._summary.add(row)
        if isinstance(result, FrameFailure):
            self._failed += 1
            self._first_failure = self._first_failure or (row, result)
        self._dropped += isinstance(result, FrameDropped)
        self._progress.add(len(result.faces) if isinstance(result, FrameAnalysis) else 0)
        self._write(row)

    def _video_rows(self) -> int | None:
        """How many of the rows are drawn in the video."""
        if self._video is None:
            return None
        return -(-self._video.frames // self._every)

    def _is_cut_short(self) -> bool:
        announced_s = self._source.announced_s
        # A frame that is cut out at the end, as by an edit list, is no damage.
        short = announced_s is not None and self._source.end_s < 0.98 * announced_s - 2 / self._source.form.rate
        return self._source.given_up or short
