"""Pictures as a network takes them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from faced_train.training.recipe import NetworkPlan


def resized(pictures: Tensor, side: int) -> Tensor:
    """uint8 [n, c, h, w] as float32 [n, c, side, side], 0 to 1, bilinear."""
    scaled = pictures.float() / 255
    if pictures.shape[2:] == (side, side):
        return scaled
    return functional.interpolate(scaled, (side, side), mode="bilinear", align_corners=False)


def normalised(crops: Tensor, plan: NetworkPlan) -> Tensor:
    """Crops [n, channels, h, w], 0 to 1, as the manifest tells it: (value - mean) * scale of values 0 to 255."""
    mean = torch.tensor(plan.mean).reshape(1, -1, 1, 1)
    values: Tensor = (255 * crops - mean) * plan.scale
    return values.contiguous(memory_format=torch.channels_last)
