"""Labelled pictures, read into memory; boxes that cannot be learnt are left out, each with a reason."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from faced_models.boxes import Rectangle
from faced_proto.types import RgbImage
from faced_service.errors import ImageError
from faced_service.images import EncodedImage, Picture, decode
from faced_train.datasets.imglab import LabelledBox, read_boxes
from faced_train.errors import DataError
from faced_train.training.mmod.geometry import Target

_MOST_PIXELS = 40_000_000


@dataclass(frozen=True, slots=True)
class Pictures:
    """Images and their targets; `places` tell in which file and line each target stands.

    `notes` name what was left out, with file and line. `digest` is of all of it.
    """

    images: tuple[RgbImage, ...]
    truths: tuple[tuple[Target, ...], ...]
    places: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    digest: str


def read_pictures(path: Path) -> Pictures:
    """All pictures of an imglab file that can be read.

    Raises:
        DataError: the file is not imglab's, no picture can be read, or no box is left to be learnt.
    """
    images, truths, places, notes = [], [], [], []
    digest = hashlib.sha256(path.read_bytes() if path.is_file() else b"")
    for picture in read_boxes(path):
        file = path.parent / picture.file
        try:
            data = file.read_bytes()
            # Labels are in the pixels of the file, whatever its EXIF says.
            image = decode(Picture(EncodedImage(data, ignore_exif=True)), max_pixels=_MOST_PIXELS)
        except (OSError, ImageError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            notes.append(f"{path}:{picture.line}: picture {picture.file} is left out: {why}")
            continue
        digest.update(data)
        targets, lines = [], []
        for box in picture.boxes:
            place = f"{path}:{box.line}: box in {picture.file}"
            why = _unfit(box, image)
            if why:
                notes.append(f"{place} is left out: {why}")
            else:
                lines.append(place)
                right, bottom = box.left + box.width - 1, box.top + box.height - 1
                targets.append(Target(Rectangle(box.left, box.top, right, bottom), box.label, box.ignored))
        images.append(image)
        truths.append(tuple(targets))
        places.append(tuple(lines))
    if not images:
        raise DataError(f"{path}: no picture can be read: {notes[0]}")
    if not any(not one.ignored for targets in truths for one in targets):
        raise DataError(f"{path}: no box is left to be learnt: all are ignored or left out, or there is none")
    return Pictures(tuple(images), tuple(truths), tuple(places), tuple(notes), digest.hexdigest())


def _unfit(box: LabelledBox, image: RgbImage) -> str:
    height, width, _ = image.shape
    if min(box.width, box.height) < 1:
        return f"{box.width} x {box.height} is no size"
    x, y = box.left + box.width // 2, box.top + box.height // 2
    if not (0 <= x < width and 0 <= y < height):
        return f"its centre is outside the picture of {width} x {height}"
    return ""
