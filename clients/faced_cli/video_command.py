"""`faced-cli video`: videos in; annotated videos, rows and a summary out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import faced_client
from faced_cli.arguments import VideoArguments
from faced_cli.connection import reach
from faced_cli.errors import CommandError, InputError
from faced_cli.flat_rows import columns_for
from faced_cli.frames import VideoSource
from faced_cli.refusal import command_error
from faced_cli.row_outputs import RowOutputs
from faced_cli.summary_page import page
from faced_cli.terminal import print_text, tell, visible
from faced_cli.video_inputs import find_videos
from faced_cli.video_job import VideoJob
from faced_cli.video_outputs import VideoOutputs, plan_outputs
from faced_cli.video_resume import CutOff, find_cut_off, history_of
from faced_cli.video_row import VideoRow
from faced_cli.video_summary import VideoSummary
from faced_proto.types import ServerInfo

SERVER_DEFAULTS = {"FACED_DETECT_RUNS": "2"}
"""Nobody else waits, and the frames of a file do not grow old."""


def run_video(arguments: VideoArguments) -> int:
    """Analyses videos one after the other; what is finished is kept and told, whatever happens. Returns the exit code.

    Raises:
        CommandError: input, output or server fail, or frames did.
    """
    sources = find_videos(arguments.files.sources)
    outputs = plan_outputs(arguments.files, sources)
    if len(sources) == 1:
        VideoSource(sources[0]).close()  # a wrong name is told before anything is loaded
    if arguments.files.resume and outputs.journal is not None and not outputs.journal.exists():
        existing = [
            path for path in (*outputs.videos, outputs.jsonl, outputs.csv) if path is not None and path.exists()
        ]
        if existing:
            tell(f"nothing to resume: {existing[0]} is there, and no run left a journal beside it")
            return 0
    with ExitStack() as stack:
        reached = stack.enter_context(reach(arguments.connection, SERVER_DEFAULTS))
        try:
            info = reached.client.server_info()
        except faced_client.FacedError as error:
            raise command_error(error, str(sources[0])) from error
        encode = arguments.encode or ("raw" if reached.embedded else "jpeg:95")
        return _Command(arguments, sources, outputs, info, encode).run(reached.client)


class _Command:
    """All videos of one command line."""

    def __init__(
        self,
        arguments: VideoArguments,
        sources: Sequence[Path],
        outputs: VideoOutputs,
        info: ServerInfo,
        encode: str,
    ) -> None:
        self._arguments = arguments
        self._sources = sources
        self._outputs = outputs
        self._encode = encode
        self._columns = columns_for(info, arguments.wishes.attributes)
        header = _header(arguments, sources, outputs, info, encode)
        resumed = arguments.files.resume
        self._cut_off = find_cut_off(outputs, header, arguments.scan_interval) if resumed else None
        kept = None if self._cut_off is None else self._cut_off.kept
        self._rows = RowOutputs(outputs, self._columns, header, kept)
        self._summaries = [VideoSummary(str(source)) for source in sources]
        self._history = history_of(arguments.half_life, info.limits.max_message_bytes)
        self._exit_code = 0

    def run(self, client: faced_client.Client) -> int:
        """Every video that is not done."""
        with self._rows:
            if self._cut_off is not None:
                self._replay(self._cut_off)
            try:
                for number in range(0 if self._cut_off is None else self._cut_off.source, len(self._sources)):
                    self._run_one(number, client)
                    self._rows.done(number)
            finally:
                self._write_summary()
            self._rows.finish()
        return self._exit_code

    def _run_one(self, number: int, client: faced_client.Client) -> None:
        """One video; what is wrong with it alone ends nothing else."""
        path = self._sources[number]
        try:
            source = VideoSource(path)
        except InputError as error:
            self._keep(error)
            return
        cut_off = self._cut_off if self._cut_off is not None and self._cut_off.source == number else None
        summary = self._summaries[number]
        with source:
            job = VideoJob(self._arguments, source, self._video(number), summary, partial(self._rows.write, number))
            try:
                job.run(client, self._encode, cut_off, self._history.rows() if cut_off is not None else ())
            except faced_client.FacedError as error:
                raise command_error(error, str(path)) from error
            except InputError as error:
                if source.read > 0:
                    raise
                self._keep(error)
                return
            finally:
                self._tell(job)
            failure = job.failure()
            if failure is not None:
                self._keep(failure)

    def _video(self, number: int) -> Path | None:
        return self._outputs.videos[number] if self._outputs.videos else None

    def _tell(self, job: VideoJob) -> None:
        held = list(self._rows.held()) if len(self._sources) == 1 else [(name, None) for name, _ in self._rows.held()]
        text = job.report(held)
        if not text:
            return
        for note in job.notes():
            tell(f"{job.name}: {note}")
        if self._rows.on_standard_output:
            tell(text)
        else:
            print_text("".join(f"{visible(line)}\n" for line in text.splitlines()))

    def _keep(self, failure: CommandError) -> None:
        tell(str(failure))
        self._exit_code = self._exit_code or failure.exit_code

    def _replay(self, cut_off: CutOff) -> None:
        for entry in cut_off.entries():
            assert entry.outcome is not None
            name = str(self._sources[entry.source])
            row = VideoRow(name, entry.frame, entry.time_s, entry.duration_s, entry.outcome)
            self._summaries[entry.source].add(row)
            self._rows.replay(row)
            if entry.source == cut_off.source:
                self._history.add(entry.outcome)

    def _write_summary(self) -> None:
        path = self._outputs.summary
        if path is None or not any(summary.frames for summary in self._summaries):
            return
        try:
            path.write_text(page(self._summaries), encoding="utf-8")
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def _header(
    arguments: VideoArguments, sources: Sequence[Path], outputs: VideoOutputs, info: ServerInfo, encode: str
) -> dict[str, str]:
    """What must be the same for a run to be resumed, by what a message would call it."""

    def file(path: Path) -> tuple[str, int, int]:
        known = path.stat() if path.exists() else None
        return (str(path), 0, 0) if known is None else (str(path), known.st_size, known.st_mtime_ns)

    files = arguments.files
    return {
        "videos": repr([file(path) for path in sources]),
        "outputs": repr([str(path) for path in (*outputs.videos, outputs.jsonl, outputs.csv, outputs.parquet)]),
        "options": repr((arguments.wishes, arguments.scan_interval, arguments.half_life, files.every, encode)),
        "drawing": repr(arguments.style),
        "networks": repr([model.model for model in info.models]),
    }
