"""dlib's face recognition network as something to begin with: it has seen three million faces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from faced_models.convert.dlib_resnet import BLOCKS, FaceResNetWeights
from faced_train.errors import DataError

LEAST_SIDE_PX = 103
"""The last block halves three rows to one."""

_DLIB_SCALE = 1 / 256


class ResidualBlock(nn.Module):
    """dlib's residual block: two 3x3 convolutions beside a shortcut that has no weights. Where it halves the side, the
    shortcut averages, and what either has less of, in rows, columns and channels, is zero.
    """

    def __init__(self, width_in: int, width: int, *, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        stride, padding = (2, 0) if halves else (1, 1)
        self.first = nn.Conv2d(width_in, width, 3, stride, padding, bias=False)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        y = torch.relu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y))
        if self.halves:
            x = functional.avg_pool2d(x, 2, 2)
            height, width = (max(x.shape[i], y.shape[i]) for i in (2, 3))
            x, y = (_grown(one, y.shape[1], height, width) for one in (x, y))
        return torch.relu(x + y)


class FaceResNet(nn.Module):
    """The ResNet of dlib's dnn_face_recognition_ex.cpp up to the mean over the picture, then a layer for the classes.

    For pictures of 103 px and more (dlib's are of 150); gives logits [n, classes].
    """

    def __init__(self, channels: int, classes: int, dropout: float) -> None:
        super().__init__()
        before = BLOCKS[0][0]
        self.stem = nn.Conv2d(channels, before, 7, 2, bias=False)
        self.stem_norm = nn.BatchNorm2d(before)
        blocks: list[nn.Module] = []
        for stage, (width, count) in enumerate(BLOCKS):
            for block in range(count):
                blocks.append(ResidualBlock(before, width, halves=stage > 0 and not block))
                before = width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(before, classes))

    def features(self, pictures: Tensor) -> Tensor:
        """[n, 256], what dlib makes its embedding of."""
        x = functional.max_pool2d(torch.relu(self.stem_norm(self.stem(pictures))), 3, 2)
        features: Tensor = self.blocks(x).mean((2, 3))
        return features

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.head(self.features(pictures))
        return logits

    @torch.no_grad()
    def take_over(self, weights: FaceResNetWeights, mean: Sequence[float], scale: float) -> None:
        """The weights of dlib, for pictures that come as (value - mean) * scale; grey is red, green and blue alike.

        Raises:
            DataError: the layers are not this network's.
        """
        pairs = tuple(self._pairs())
        if len(pairs) != len(weights.layers):
            raise DataError(f"weights of {len(weights.layers)} convolutions, expected {len(pairs)}")
        for number, ((convolution, norm), (theirs, affine)) in enumerate(zip(pairs, weights.layers, strict=True)):
            kernels = torch.tensor(theirs.weights)
            shift = torch.tensor(affine.scale * theirs.bias + affine.shift)
            if number == 0:
                # (value - theirs) / 256 is (value - mean) / 256 + (mean - theirs) / 256, the same at every pixel.
                away = (torch.tensor(mean) - torch.tensor(weights.means)) * _DLIB_SCALE
                shift += torch.tensor(affine.scale) * (kernels.sum((2, 3)) * away).sum(1)
                kernels = kernels * (_DLIB_SCALE / scale)
                kernels = kernels if convolution.in_channels == kernels.shape[1] else kernels.sum(1, keepdim=True)
            if convolution.weight.shape != kernels.shape or convolution.stride != theirs.stride:
                raise DataError(
                    f"convolution {number} has {kernels.shape} at {theirs.stride}, "
                    f"expected {convolution.weight.shape} at {convolution.stride}"
                )
            convolution.weight.copy_(kernels)
            norm.weight.copy_(torch.tensor(affine.scale))
            norm.bias.copy_(shift)
            norm.running_mean.zero_()
            norm.running_var.fill_(1 - norm.eps)

    @torch.no_grad()
    def settle(self, pictures: Tensor) -> None:
        """Makes the statistics of its batch norms those of `pictures`, and what it gives stays the same.

        dlib's layers are scales and shifts; batch norms that begin with other statistics than their batches' would
        begin elsewhere as soon as they learn.
        """

        def before(norm: nn.BatchNorm2d, inputs: tuple[Tensor, ...]) -> None:
            mean, variance = inputs[0].mean((0, 2, 3)), inputs[0].var((0, 2, 3), unbiased=False)
            ratio = torch.sqrt((variance + norm.eps) / (norm.running_var + norm.eps))
            norm.bias += norm.weight * (mean - norm.running_mean) / torch.sqrt(norm.running_var + norm.eps)
            norm.weight *= ratio
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)

        handles = [norm.register_forward_pre_hook(before) for _, norm in self._pairs()]
        learns = self.training
        self.eval()
        try:
            self.features(pictures)
        finally:
            self.train(learns)
            for handle in handles:
                handle.remove()

    def _pairs(self) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d]]:
        """Convolutions and their norms, from the picture on."""
        yield self.stem, self.stem_norm
        for block in self.blocks:
            yield block.first, block.first_norm
            yield block.second, block.second_norm


def _grown(x: Tensor, channels: int, height: int, width: int) -> Tensor:
    missing = (0, width - x.shape[3], 0, height - x.shape[2], 0, channels - x.shape[1])
    return functional.pad(x, missing) if any(missing) else x
