"""Many videos as one Parquet data set: a folder with a file for each video, whole or not there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from faced_cli.errors import InputError, UsageError

_HEADER = "_faced.json"
"""Readers of data sets leave out what begins with an underscore."""

_UNFINISHED = "_unfinished"


class ParquetSet:
    """The data set in `folder`. `header` is what must be the same for videos to be in one set.

    Raises:
        UsageError: there is one already, of other options or not to be gone on with; or the folder is another thing.
        InputError: it cannot be read or written.
    """

    def __init__(self, folder: Path, header: Mapping[str, str], *, resume: bool, force: bool) -> None:
        self.folder = folder.absolute()
        try:
            self.folder.mkdir(exist_ok=True)
            there = sorted(path.name for path in self.folder.iterdir())
            if there:
                self._check(folder, header, resume=resume, force=force)
            if force:
                for name in there:
                    if name.endswith(".parquet"):
                        (self.folder / name).unlink()
            (self.folder / _HEADER).write_text(json.dumps(header, indent=1), encoding="utf-8")
            (self.folder / _UNFINISHED).mkdir(exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: is no folder that can be written ({error.strerror})") from error

    def part(self, video: Path) -> Path:
        """The file of a video as it is now: another name where its content may be another."""
        known = video.stat() if video.exists() else None
        told = () if known is None else (known.st_size, known.st_mtime_ns)
        return self.folder / f"{_stem(video)}-{_digest(*map(str, told))}.parquet"

    def unfinished(self, part: Path) -> Path:
        """Where it is written, until `finish`."""
        return self.folder / _UNFINISHED / part.name

    def finish(self, video: Path, part: Path) -> None:
        """The part is whole; one of an earlier state of the video goes.

        Raises:
            InputError: it cannot be moved into its place.
        """
        try:
            self.unfinished(part).replace(part)
            for old in self.folder.glob(f"{_stem(video)}-*.parquet"):
                if old != part:
                    old.unlink()
        except OSError as error:
            raise InputError(f"{part}: cannot be written ({error.strerror})") from error

    def missing(self, videos: Sequence[Path]) -> list[Path]:
        """Those that are not in it yet."""
        there = {path.name for path in self.folder.iterdir()}
        return [video for video in videos if self.part(video).name not in there]

    def _check(self, folder: Path, header: Mapping[str, str], *, resume: bool, force: bool) -> None:
        path = self.folder / _HEADER
        if not path.exists():
            raise UsageError(f"{folder}: holds other things than a data set of faced-cli")
        if not resume and not force:
            raise UsageError(f"{folder}: exists; give --resume to go on with it, or --force to begin anew")
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            before = {}
        other = [name for name in header if before.get(name) != header[name]]
        if other and not force:
            raise UsageError(f"--resume: {folder} was made with other {', '.join(other)}; --force begins anew")


def _stem(video: Path) -> str:
    """Its name for people, and its whole path for the difference."""
    name = "".join(letter if letter.isalnum() or letter in "-._" else "_" for letter in video.stem)[:80].lstrip("._")
    return f"{name or 'video'}-{_digest(str(video.absolute()))}"


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode(errors="surrogateescape")).hexdigest()[:12]
