"""One video of many as a part of a data set: what a worker does, on whatever machine it runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import faced_client
from faced_cli.arguments import VideoArguments
from faced_cli.errors import CommandError, InputError
from faced_cli.flat_rows import Column
from faced_cli.frames import VideoSource
from faced_cli.parquet_file import ParquetFile
from faced_cli.parquet_set import ParquetSet
from faced_cli.refusal import command_error
from faced_cli.video_job import VideoJob
from faced_cli.video_summary import VideoSummary


@dataclass(frozen=True, slots=True)
class PartDone:
    """What became of a video: counts, what is told of it, and the exit code that it is worth."""

    frames: int
    faces: int
    report: str
    notes: tuple[str, ...]
    failure: str = ""
    exit_code: int = 0


def make_part(
    client: faced_client.Client,
    arguments: VideoArguments,
    video: Path,
    file: Path,
    into: ParquetSet,
    columns: Sequence[Column],
    encode: str,
) -> PartDone:
    """Analyse `video`; its part is there when this returns, but where nothing could be read or the server failed.

    `video` is as it was named, `file` its absolute path: the worker's folder is not that of who named it.
    """
    summary = VideoSummary(str(video))
    part = into.part(file)
    rows = ParquetFile(into.unfinished(part), columns)
    try:
        with VideoSource(file, told=str(video)) as source:
            job = VideoJob(arguments, source, None, summary, rows.write)
            job.run(client, encode, None, ())
            rows.close()
            into.finish(file, part)
    except faced_client.FacedError as error:
        return _failed(summary, command_error(error, str(video)))
    except InputError as error:
        return _failed(summary, error)
    finally:
        with suppress(InputError):
            rows.close()
        into.unfinished(part).unlink(missing_ok=True)
    failure = job.failure()
    report = job.report([(part.name, rows.count)])
    done = PartDone(summary.frames, summary.faces, report, tuple(job.notes()))
    return done if failure is None else _failed(summary, failure, done)


def _failed(summary: VideoSummary, error: CommandError, done: PartDone | None = None) -> PartDone:
    report, notes = ("", ()) if done is None else (done.report, done.notes)
    return PartDone(summary.frames, summary.faces, report, notes, str(error), error.exit_code)
