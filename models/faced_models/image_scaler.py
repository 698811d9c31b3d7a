"""Images to the scale on which detection runs: dlib's doublings, or a shrink."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from faced_models.kernels import Kernels
from faced_models.pyramid import sample_columns, sample_rows
from faced_models.scale import ScanPlan
from faced_models.team import Team
from faced_proto.types import RgbImage


def shrunk(image: RgbImage, plan: ScanPlan) -> RgbImage:
    """The image at the plan's shrink, by area; the image itself where that is 1."""
    if plan.shrink == 1.0:
        return image
    height, width, _ = image.shape
    size = (max(1, int(width * plan.shrink)), max(1, int(height * plan.shrink)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


class ImageScaler:
    """Scales on the CPU, on every device: dlib's doubling truncates, so its last bits decide grey levels."""

    def __init__(self, kernels: Kernels, team: Team) -> None:
        self._kernels = kernels
        self._team = team

    def scaled(self, image: RgbImage, plan: ScanPlan) -> RgbImage:
        """The image as the plan has it, before levels are left out; the image itself where nothing changes."""
        image = shrunk(image, plan)
        for _ in range(plan.upsample_times):
            image = self._doubled(image)
        return image

    def _doubled(self, image: RgbImage) -> RgbImage:
        height, width, _ = image.shape
        out = np.empty((2 * height + 1, 2 * width + 2, 3), np.uint8)
        rows, columns = sample_rows(height, out.shape[0]), sample_columns(width, out.shape[1])

        def fill(band: slice) -> None:
            self._kernels.upsample(
                image,
                out[band],
                rows.first[band],
                rows.fraction[band],
                columns.first,
                columns.fraction,
                columns.exact_from,
            )

        edges = np.linspace(0, len(out), self._team.threads + 1, dtype=int).tolist()
        self._team.share(fill, [slice(top, bottom) for top, bottom in pairwise(edges)])
        return out
