"""What a video run may write, checked before any work."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from faced_cli.errors import InputError, UsageError
from faced_cli.terminal import is_standard_output, visible
from faced_cli.video_flags import VideoFiles

_SUFFIXES = frozenset({".mp4", ".m4v"})


@dataclass(frozen=True, slots=True)
class VideoOutputs:
    """Where everything goes: a video for each source (none at all where empty), rows, the summary.

    `journal` is what --resume reads; None where all goes to standard output and devices.
    """

    videos: tuple[Path, ...]
    jsonl: Path | None
    csv: Path | None
    parquet: Path | None
    summary: Path | None
    journal: Path | None


def plan_outputs(files: VideoFiles, sources: Sequence[Path]) -> VideoOutputs:
    """Each output has a folder, is no source and no other output, and is not written over without being told so.

    Devices and pipes may always be written: there is nothing to lose. What exists may stay for --resume.

    Raises:
        UsageError: one exists, is written twice, or is no MP4 by its name.
        InputError: a folder is missing.
    """
    videos = _videos(files.output, sources)
    rows = [path for path in (files.jsonl, files.csv) if path is not None]
    on_output = [path for path in rows if is_standard_output(path)]
    if len(on_output) == 2:
        raise UsageError("--jsonl and --csv cannot both be standard output")
    others = (path for path in (files.parquet, files.summary) if path is not None)
    paths = [*(path for path in rows if path not in on_output), *others, *videos]
    for path in paths:
        _check_place(path, sources)
    for i, path in enumerate(paths):
        if any(_same(path, other) for other in paths[:i]):
            raise UsageError(f"{path}: cannot be two outputs at once")
    kept = [path for path in paths if not _is_device(path)]
    journal = kept[0].with_name(kept[0].name + ".journal") if kept else None
    if files.resume and journal is None:
        raise UsageError("--resume: standard output and devices keep nothing to go on from")
    if not files.force and not files.resume:
        _ask_about([path for path in kept if path.exists()], journal)
    return VideoOutputs(videos, files.jsonl, files.csv, files.parquet, files.summary, journal)


def check_outputs(source: Path, output: Path | None, jsonl: Path | None, *, force: bool) -> None:
    """The same for a single source, a video file and rows.

    Raises:
        UsageError, InputError: as `plan_outputs`.
    """
    if output is not None and output.is_dir():
        raise UsageError(f"{output}: is a folder")
    plan_outputs(VideoFiles((source,), output=output, jsonl=jsonl, force=force), (source,))


def _videos(output: Path | None, sources: Sequence[Path]) -> tuple[Path, ...]:
    if output is None:
        return ()
    is_video = output.suffix.lower() in _SUFFIXES
    if len(sources) == 1 and not output.is_dir():
        if not is_video:
            raise UsageError(f"{output}: the video is written as MP4, so its name must end in .mp4")
        return (output,)
    if is_video:
        raise UsageError(f"{output}: one file for {len(sources)} videos; give a folder")
    try:
        output.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"{output}: is no folder and cannot be made one ({error.strerror})") from error
    return tuple(_named(output, sources))


def _named(folder: Path, sources: Sequence[Path]) -> Iterator[Path]:
    taken = set()
    for source in sources:
        path, number = folder / f"{source.stem}.annotated.mp4", 2
        while path in taken:
            path, number = folder / f"{source.stem}-{number}.annotated.mp4", number + 1
        taken.add(path)
        yield path


def _check_place(path: Path, sources: Sequence[Path]) -> None:
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}")
    if path.is_dir():
        raise UsageError(f"{path}: is a folder")
    if any(_same(path, source) for source in sources):
        raise UsageError(f"{path}: is the video that is read")


def _ask_about(existing: Sequence[Path], journal: Path | None) -> None:
    """Asks whether to write over files, where there is somebody to ask.

    Raises:
        UsageError: there is nobody, or the answer is no.
    """
    if not existing:
        return
    names = ", ".join(str(path) for path in existing)
    if sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty():
        sys.stderr.write(visible(f"{names}: write over? [y/N] "))
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            return
    resumable = journal is not None and journal.exists()
    hint = "--resume to go on with it, or --force" if resumable else "--force"
    raise UsageError(f"{names}: {'exists' if len(existing) == 1 else 'exist'}; give {hint} to write over it")


def _is_device(path: Path) -> bool:
    return path.is_char_device() or path.is_fifo()


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other) or (one.exists() and other.exists() and one.samefile(other))
