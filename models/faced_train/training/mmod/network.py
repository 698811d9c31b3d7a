"""dlib's two networks for MMOD: seven convolutions, a score of each window for every eighth pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from faced_models.convert.dlib_layers import Convolution

_FILTERS = 32
_EPS = 1e-4


class DetectorNetwork(nn.Module):
    """Normalised tiled pyramids float32 [n, 3, H, W] to scores [n, windows, h, w]."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        """Convolutions, batch norms and ReLUs."""
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, pyramids: Tensor) -> Tensor:
        """Scores of all places of all windows."""
        scores: Tensor = self.layers(pyramids)
        return scores

    @property
    def norms(self) -> tuple[nn.BatchNorm2d, ...]:
        """All batch norms."""
        return tuple(layer for layer in self.layers if isinstance(layer, nn.BatchNorm2d))

    def output_shape(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of the scores of a pyramid."""
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                height, width = (
                    (length + 2 * layer.padding[0] - layer.kernel_size[0]) // layer.stride[0] + 1
                    for length in (height, width)
                )
        return height, width

    @torch.no_grad()
    def folded(self) -> tuple[Convolution, ...]:
        """The convolutions, each with the batch norm that follows it folded in."""
        found = []
        for layer, after in zip(self.layers, [*self.layers[1:], None], strict=True):
            if not isinstance(layer, nn.Conv2d):
                continue
            weights, bias = layer.weight.double(), layer.bias.double()
            if isinstance(after, nn.BatchNorm2d):
                scale = after.weight.double() / torch.sqrt(after.running_var.double() + after.eps)
                weights = weights * scale[:, None, None, None]
                bias = (bias - after.running_mean.double()) * scale + after.bias.double()
            found.append(Convolution(weights.float().numpy(), bias.float().numpy(), layer.stride, layer.padding))
        return tuple(found)


def small_network(windows: int) -> DetectorNetwork:
    """That of dnn_mmod_ex.cpp, with the weights that dlib begins with, drawn anew."""
    layers: list[nn.Module] = []
    channels = 3
    for side, stride, padding in ((5, 2, 0),) * 3 + ((3, 1, 1),) * 3:
        layers += [
            nn.Conv2d(channels, _FILTERS, side, stride, padding),
            nn.BatchNorm2d(_FILTERS, eps=_EPS, momentum=0.05),
            nn.ReLU(),
        ]
        channels = _FILTERS
    layers.append(nn.Conv2d(channels, windows, 6, padding=3))
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            # dlib's own: Glorot's bounds with the filters of the layer as its outputs.
            bound = math.sqrt(6 / (layer.weight[0].numel() + layer.out_channels))
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.zeros_(layer.bias)
    return DetectorNetwork(layers)


@torch.no_grad()
def full_network(convolutions: Sequence[Convolution], windows: int) -> DetectorNetwork:
    """One of these weights, whose batch norms are folded in for good; every window begins as the only one there was."""
    layers: list[nn.Module] = []
    for given in convolutions:
        weights, bias = torch.tensor(given.weights), torch.tensor(given.bias)
        if given is convolutions[-1]:
            weights, bias = weights.repeat(windows, 1, 1, 1), bias.repeat(windows)
        filters, channels, *sides = weights.shape
        layer = nn.Conv2d(channels, filters, sides, given.stride, given.padding)
        layer.weight.copy_(weights)
        layer.bias.copy_(bias)
        layers += [layer, nn.ReLU()]
    return DetectorNetwork(layers[:-1])
