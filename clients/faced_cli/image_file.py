"""Picture files: their bytes, their pixels, and annotated copies of them."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import cv2
import numpy as np
from imutils.paths import list_files

from faced_cli.errors import InputError
from faced_proto.types import ErrorReason, RgbImage

_JPEG_SUFFIXES = frozenset({".jpg", ".jpeg"})
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
"""Of the kinds that the server reads; copies are written in the same ones."""

_MOST_BYTES = 128 << 20
"""More than any server takes in one message."""


def picture_files(path: Path) -> list[Path]:
    """The path itself, or, if it is a folder, the JPEG, PNG, WebP and BMP files in and below it, by name.

    Raises:
        InputError: the folder holds no pictures.
    """
    if not path.is_dir():
        return [path]
    found = sorted(Path(name) for name in list_files(str(path), validExts=_SUFFIXES))
    if not found:
        raise InputError(f"{path}: is a folder without pictures")
    return found


def read_bytes(path: Path) -> bytes:
    """The bytes of a file or pipe that is not empty.

    Raises:
        InputError: there is none, it cannot be read, it is empty, or it holds more than 128 MiB.
    """
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise InputError(f"{path}: is neither a file nor a pipe")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if len(content) > _MOST_BYTES:
        raise InputError(f"{path}: holds more than {_MOST_BYTES >> 20} MiB", ErrorReason.MESSAGE_TOO_LARGE.value)
    if not content:
        raise InputError(f"{path}: is empty", ErrorReason.IMAGE_EMPTY.value)
    return content


def upright_pixels(path: Path, content: bytes, width: int, height: int) -> RgbImage:
    """The picture in the file's bytes, turned upright, which was analysed at `width` x `height` px.

    Raises:
        InputError: OpenCV cannot decode it, or gives another size.
    """
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise InputError(f"{path}: cannot be drawn on ({error.err})") from error
    if pixels is None or pixels.shape[:2] != (height, width):
        got = "cannot be decoded" if pixels is None else f"is decoded at {pixels.shape[1]}x{pixels.shape[0]} px"
        raise InputError(f"{path}: analysed at {width}x{height} px, but for drawing it {got}")
    return np.ascontiguousarray(pixels[:, :, ::-1]).astype(np.uint8, copy=False)


def real_path(path: Path) -> Path:
    """The one absolute name of a file, whatever links and relative names lead to it."""
    return Path(os.path.realpath(path))  # unlike `Path.resolve`, also of links that lead to themselves


def annotated_path(folder: Path, source: Path, taken: set[Path]) -> Path:
    """A name for the annotated copy of which no other name is in `taken`, whose paths are `real_path`s.

    Suffix: the source's own, or ".png".
    """
    suffix = source.suffix.lower() if source.suffix.lower() in _SUFFIXES else ".png"
    path = folder / f"{source.stem}.annotated{suffix}"
    number = 2
    while real_path(path) in taken:
        path = folder / f"{source.stem}-{number}.annotated{suffix}"
        number += 1
    return path


def write_picture(path: Path, image: RgbImage) -> None:
    """Writes uint8 [h, w, 3] RGB as JPEG (quality 95), PNG, WebP (lossless) or BMP, by the suffix; whole or not at all.

    Raises:
        InputError: it cannot be written.
    """
    flags = [cv2.IMWRITE_JPEG_QUALITY, 95] if path.suffix in _JPEG_SUFFIXES else []
    done, encoded = cv2.imencode(path.suffix, np.ascontiguousarray(image[:, :, ::-1]), flags)
    if not done:
        raise InputError(f"{path}: cannot be encoded")
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(encoded.tobytes())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        full = error.errno == errno.ENOSPC
        why = "no space left on the device" if full else f"cannot be written ({error.strerror})"
        raise InputError(f"{path}: {why}") from error
