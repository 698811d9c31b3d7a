"""The pictures that are measured on."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np

from faced_proto.types import RgbImage

_FACE = Path(__file__).with_name("astronaut.jpg")
"""Eileen Collins, NASA, public domain; part of scikit-image's `astronaut`."""

_CELL = (320, 240)


def bench_picture(width: int, height: int) -> RgbImage:
    """uint8 [height, width, 3] RGB: the same face in a grid of at least 2 x 2, about 320 x 240 pixels each."""
    columns, rows = max(2, width // _CELL[0]), max(2, height // _CELL[1])
    face = read_picture(_FACE)
    xs, ys = np.linspace(0, width, columns + 1, dtype=int), np.linspace(0, height, rows + 1, dtype=int)
    out = np.empty((height, width, 3), np.uint8)
    for left, right in itertools.pairwise(xs):
        for top, bottom in itertools.pairwise(ys):
            out[top:bottom, left:right] = cv2.resize(
                face, (int(right - left), int(bottom - top)), interpolation=cv2.INTER_CUBIC
            )
    return out


def picture_with_faces(count: int) -> RgbImage:
    """A grid of `count` faces (a square number), 128 pixels each, on 640 x 480 or as much as they need."""
    side = round(count**0.5)
    cell = cv2.resize(read_picture(_FACE), _CELL, interpolation=cv2.INTER_CUBIC)
    out = np.zeros((max(480, side * _CELL[1]), max(640, side * _CELL[0]), 3), np.uint8)
    out[: side * _CELL[1], : side * _CELL[0]] = np.tile(cell, (side, side, 1))
    return out


def read_picture(path: Path) -> RgbImage:
    """uint8 [h, w, 3] RGB.

    Raises:
        ValueError: the file is no picture that OpenCV reads; names it.
    """
    picture = cv2.imread(str(path))
    if picture is None:
        raise ValueError(f"{path}: not a picture that can be read")
    return np.ascontiguousarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)
