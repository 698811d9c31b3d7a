"""The videos that a command line names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from faced_cli.errors import InputError

_SUFFIXES = frozenset(
    ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .webm .wmv".split()  # noqa: SIM905
)


def find_videos(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Files as they are named, and in place of a folder the videos in it, by name; each once.

    Raises:
        InputError: a folder has none, or cannot be read.
    """
    return tuple(dict.fromkeys(video for path in paths for video in _of(path)))


def _of(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    try:
        videos = sorted(file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES and file.is_file())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    if not videos:
        raise InputError(f"{path}: there are no videos in this folder")
    yield from videos
