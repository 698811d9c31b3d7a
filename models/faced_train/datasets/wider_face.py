"""WIDER FACE's list of boxes: a picture's name, how many faces, then a line for each (Yang et al., CVPR 2016)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from faced_proto.types import Box
from faced_service.bench.imglab import Label, LabelledPicture
from faced_train.errors import DataError

_INVALID = 7
"""Place of the field that marks faces which nobody has to find."""


def find_wider_face(folder: Path) -> Path | None:
    """The list in a folder or in its `wider_face_split`; of several the validation set's."""
    lists = sorted(folder.glob("*_bbx_gt.txt")) or sorted(folder.glob("wider_face_split/*_bbx_gt.txt"))
    return next((path for path in lists if "val" in path.name), lists[0] if lists else None)


def read_wider_face(path: Path) -> list[LabelledPicture]:
    """All pictures of a list; the pictures lie in `WIDER_*/images` or `images` beside it or above it.

    Raises:
        DataError: names the line that is wrong; or there is no folder of pictures.
    """
    images = _images(path)
    try:
        lines = enumerate(path.read_text("utf-8").splitlines(), start=1)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    pictures = []
    for _, name in lines:
        if not name.strip():
            continue
        number, count = next(lines, (0, ""))
        if not count.strip().isdigit():
            raise DataError(f"{path}: line {number}: {count!r} is no number of faces")
        # A picture without a face still has one line, of zeros.
        labels = [_label(lines, path) for _ in range(max(1, int(count)))]
        pictures.append(LabelledPicture(images / name.strip(), tuple(one for one in labels if one is not None)))
    if not pictures:
        raise DataError(f"{path}: names no pictures")
    return pictures


def _images(path: Path) -> Path:
    kind = path.name.removeprefix("wider_face_").removesuffix("_bbx_gt.txt")
    for folder in (path.parent, path.parent.parent):
        for images in (folder / f"WIDER_{kind}" / "images", folder / "images"):
            if images.is_dir():
                return images
    raise DataError(f"{path}: there is neither a folder WIDER_{kind}/images nor images beside or above it")


def _label(lines: Iterator[tuple[int, str]], path: Path) -> Label | None:
    number, line = next(lines, (0, ""))
    try:
        values = [int(word) for word in line.split()]
    except ValueError:
        values = []
    if len(values) < 4:
        raise DataError(f"{path}: line {number}: {line!r} is no box: left, top, width, height and flags")
    left, top, width, height = values[:4]
    if min(width, height) < 1:
        return None
    ignored = len(values) > _INVALID and values[_INVALID] == 1
    return Label(Box(left, top, left + width, top + height), ignored)
