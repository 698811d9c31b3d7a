"""Random crops of labelled pictures: turned, mirrored, scaled, their colours disturbed, as dlib's random_cropper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from faced_models.boxes import Rectangle
from faced_proto.types import RgbImage
from faced_train.training.mmod.geometry import Target

_BACKGROUND, LARGEST, _SHIFT, _TURN_DEGREES = 0.5, 0.7, 0.1, 30.0
"""dlib's defaults: part of crops taken anywhere, largest part of a crop that a box takes, and how far it is moved."""

_COLOURS = np.array([[-66.379, 25.094, 6.79698], [-68.0492, -0.302309, -13.9539], [-68.4907, -24.0199, 7.27653]])
"""The covariance of RGB values in pictures, its root, from Krizhevsky et al. (NIPS 2012) by dlib."""


@dataclass(frozen=True, slots=True)
class Cropper:
    """Crops of `side` px; a box in them has a longer side of `long_px` and a shorter of `short_px` at least."""

    side: int
    long_px: int
    short_px: int

    def crops(
        self,
        images: Sequence[RgbImage],
        truths: Sequence[Sequence[Target]],
        count: int,
        chance: np.random.Generator,
    ) -> tuple[list[RgbImage], list[tuple[Target, ...]]]:
        """So many crops of pictures drawn by chance."""
        pairs = []
        for _ in range(count):
            number = int(chance.integers(len(images)))
            pairs.append(self._crop(images[number], truths[number], chance))
        return [image for image, _ in pairs], [targets for _, targets in pairs]

    def _crop(
        self, image: RgbImage, targets: Sequence[Target], chance: np.random.Generator
    ) -> tuple[RgbImage, tuple[Target, ...]]:
        wanted = [one.box for one in targets if not one.ignored]
        if wanted and chance.random() >= _BACKGROUND:
            x, y, length = self._around(wanted[int(chance.integers(len(wanted)))], chance)
        else:
            x, y, length = self._anywhere(image, chance)
        mirrored = chance.random() > 0.5
        angle = math.radians(chance.uniform(-_TURN_DEGREES, _TURN_DEGREES))
        scale = self.side / length
        cos, sin = scale * math.cos(angle), scale * math.sin(angle)
        middle = (self.side - 1) / 2
        turn = np.array([[cos, sin, middle - cos * x - sin * y], [-sin, cos, middle + sin * x - cos * y]])
        if scale < 0.5:
            # Bilinear sampling looks at four pixels only: what is much smaller is averaged first.
            step = int(1 / scale)
            blurred = cv2.blur(image, (step, step))
        else:
            blurred = image
        crop = cv2.warpAffine(blurred, turn, (self.side, self.side), flags=cv2.INTER_LINEAR)
        found = []
        for one in targets:
            box = self._turned(one.box, turn, scale)
            if mirrored:
                box = Rectangle(self.side - 1 - box.right, box.top, self.side - 1 - box.left, box.bottom)
            kept = self._kept(box)
            if kept is not None:
                found.append(Target(box, one.label, one.ignored or not kept))
        if mirrored:
            crop = crop[:, ::-1]
        offsets = np.round(_COLOURS @ (0.1 * chance.standard_normal(3)))
        coloured = np.clip(crop.astype(np.int16) + offsets.astype(np.int16), 0, 255).astype(np.uint8)
        return np.ascontiguousarray(coloured), tuple(found)

    def _around(self, box: Rectangle, chance: np.random.Generator) -> tuple[float, float, float]:
        width, height = box.right - box.left + 1, box.bottom - box.top + 1
        dx, dy = chance.uniform(-_SHIFT, _SHIFT, 2) * max(width, height)
        length = max(width, height) / LARGEST
        now = (self.side * width / length, self.side * height / length)
        least = max(
            max(self.short_px / now[0], self.short_px / now[1]), min(self.long_px / now[0], self.long_px / now[1])
        )
        length /= chance.uniform(min(least, 1.0), 1.0)
        return (box.left + box.right) / 2 + dx, (box.top + box.bottom) / 2 + dy, length

    def _anywhere(self, image: RgbImage, chance: np.random.Generator) -> tuple[float, float, float]:
        height, width, _ = image.shape
        most = min(height, width) / self.side
        length = self.side * chance.uniform(min(1 / 3, most), most)
        left = chance.uniform(0, width - length)
        top = chance.uniform(0, height - length)
        return left + length / 2, top + length / 2, length

    def _turned(
        self, box: Rectangle, turn: np.ndarray[tuple[int, int], np.dtype[np.float64]], scale: float
    ) -> Rectangle:
        """The box around the same centre, of the same shape: heads turn within it."""
        x, y = turn @ np.array([(box.left + box.right) / 2, (box.top + box.bottom) / 2, 1.0])
        across, down = scale * (box.right - box.left + 1) / 2, scale * (box.bottom - box.top + 1) / 2
        return Rectangle(round(x - across + 0.5), round(y - down + 0.5), round(x + across - 0.5), round(y + down - 0.5))

    def _kept(self, box: Rectangle) -> bool | None:
        """None: not in the crop at all; False: not whole, or too small to be asked for."""
        width, height = box.right - box.left + 1, box.bottom - box.top + 1
        if box.left >= self.side or box.top >= self.side or box.right < 0 or box.bottom < 0:
            return None
        whole = box.left >= 0 and box.top >= 0 and box.right < self.side and box.bottom < self.side
        return whole and max(width, height) >= self.long_px and min(width, height) >= self.short_px
