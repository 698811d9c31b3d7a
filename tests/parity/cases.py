"""The pictures on which our boxes are compared with dlib's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Case:
    """A picture, uint8 [h, w, 3] RGB, and how often dlib doubles it."""

    name: str
    image: NDArray[np.uint8]
    upsample: int


def own_cases() -> Iterator[Case]:
    """Crops of scikit-image's astronaut: odd sizes, small and narrow ones, grey, random ones."""
    from skimage.data import astronaut

    picture = np.ascontiguousarray(astronaut())
    for upsample in (0, 1, 2):
        yield Case("astronaut-face", picture[20:260, 100:340], upsample)
    for upsample in (0, 1):
        yield Case("astronaut", picture, upsample)
        yield Case("astronaut-odd", picture[3:334, 60:397], upsample)
        yield Case("astronaut-grey", _grey(picture[0:301, 80:385]), upsample)
        yield Case("astronaut-wide", picture[60:180, :], upsample)
        yield Case("astronaut-tall", picture[:, 150:280], upsample)
        yield Case("astronaut-half", cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA), upsample)
    for width, height in (
        (100, 100),
        (61, 97),
        (97, 61),
        (40, 300),
        (300, 40),
        (12, 300),
        (10, 50),
        (300, 8),
        (20, 20),
    ):
        yield Case(f"astronaut-{width}x{height}", _around_face(picture, width, height), 0)
        yield Case(f"astronaut-{width}x{height}", _around_face(picture, width, height), 1)
    random = np.random.default_rng(20)
    for index in range(200):
        width, height = random.integers(100, 320, 2)
        if index % 3:  # two of three hold the whole face
            left, top = random.integers(max(0, 264 - width), 169), random.integers(max(0, 165 - height), 70)
        else:
            left, top = random.integers(0, 512 - width), random.integers(0, 512 - height)
        crop = picture[top : top + height, left : left + width]
        if index % 4 == 3:
            crop = _grey(crop)
        if index % 2:
            factor = random.uniform(0.5, 2.0)
            crop = cv2.resize(crop, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
        yield Case(f"random-{index}", crop, int(index % 10 == 0))


def data_cases(data: Path) -> Iterator[Case]:
    """Every picture of the development data's `detection` folder."""
    for path in sorted((data / "detection").glob("*.jpg")):
        picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        for upsample in (0, 1, 2):
            yield Case(path.stem, picture, upsample)


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.cvtColor(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def _around_face(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    left, top = max(0, 216 - width // 2), max(0, 116 - height // 2)
    return picture[top : top + height, left : left + width]
