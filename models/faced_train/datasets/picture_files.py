"""Pictures in a folder or a tar, each a file."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from faced_proto.types import RgbImage
from faced_service.errors import ImageError
from faced_service.images import EncodedImage, Picture, decode
from faced_train.errors import DataError
from faced_train.faces import Broken

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
_MAX_PIXELS = 40_000_000


@dataclass(frozen=True, slots=True)
class PictureFiles:
    """Files by their names relative to a folder."""

    folder: Path
    names: tuple[str, ...]

    def pictures(self, places: Sequence[int]) -> Iterator[RgbImage | Broken]:
        """See `PictureSource`."""
        for place in places:
            path = self.folder / self.names[place]
            try:
                data = path.read_bytes()
            except OSError as error:
                yield Broken(f"{path}: cannot be read: {error.strerror}")
                continue
            yield _decoded(data, str(path))


@dataclass(frozen=True, slots=True)
class TarredPictures:
    """Members of a tar, packed or not, by their names."""

    path: Path
    names: tuple[str, ...]

    def pictures(self, places: Sequence[int]) -> Iterator[RgbImage | Broken]:
        """See `PictureSource`."""
        with _opened(self.path) as archive:
            members = {member.name: member for member in _members(archive, self.path)}
            for place in places:
                name = self.names[place]
                try:
                    file = archive.extractfile(members[name])
                    data = b"" if file is None else file.read()
                except (OSError, EOFError, tarfile.TarError) as error:
                    yield Broken(f"{self.path}: {name}: cannot be read: {error}")
                    continue
                yield _decoded(data, f"{self.path}: {name}")


PictureStore = PictureFiles | TarredPictures


def list_pictures(path: Path) -> tuple[PictureStore, tuple[str, ...]]:
    """All pictures in a folder (with its subfolders) or a tar, by name; and the files that are none.

    Raises:
        DataError: it cannot be read, or holds no picture.
    """
    store: PictureStore
    if path.is_dir():
        names = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
        store = PictureFiles(path, tuple(name for name in names if _is_picture(name)))
    else:
        with _opened(path) as archive:
            names = sorted(member.name for member in _members(archive, path) if member.isfile())
        store = TarredPictures(path, tuple(name for name in names if _is_picture(name)))
    if not store.names:
        raise DataError(f"{path}: holds no pictures ({', '.join(sorted(_SUFFIXES))})")
    return store, tuple(name for name in names if not _is_picture(name))


def foreign(names: Sequence[str]) -> tuple[str, ...]:
    """What is said about files that are no pictures."""
    if not names:
        return ()
    more = "" if len(names) <= 3 else f" and {len(names) - 3} more"
    return (f"no pictures: {', '.join(names[:3])}{more}",)


def _is_picture(name: str) -> bool:
    file = Path(name)
    return file.suffix.lower() in _SUFFIXES and not file.name.startswith(".")


def _decoded(data: bytes, where: str) -> RgbImage | Broken:
    try:
        return decode(Picture(EncodedImage(data)), max_pixels=_MAX_PIXELS)
    except ImageError as error:
        return Broken(f"{where}: {error}")


def _opened(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file or folder") from None
    except (OSError, EOFError, tarfile.TarError) as error:
        raise DataError(f"{path}: is neither a folder nor a tar: {error}") from error


def _members(archive: tarfile.TarFile, path: Path) -> list[tarfile.TarInfo]:
    try:
        return archive.getmembers()
    except (OSError, EOFError, tarfile.TarError) as error:
        raise DataError(f"{path}: cannot be read to its end: {error}") from error
