"""The networks that recipes name."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from faced_train.errors import DataError
from faced_train.training.face_resnet import LEAST_SIDE_PX, FaceResNet
from faced_train.training.recipe import FACE_RESNET, Recipe


class Standardise(nn.Module):
    """Every picture to mean 0 and deviation 1, so that light and contrast do not matter; [n, c, h, w]."""

    def forward(self, pictures: Tensor) -> Tensor:
        """See the class."""
        centred = pictures - pictures.mean((1, 2, 3), keepdim=True)
        variance = (centred * centred).mean((1, 2, 3), keepdim=True)
        return centred / torch.sqrt(variance + 1e-3)


class ConvBatchNorm(nn.Sequential):
    """A convolution that keeps the size or, with a stride, divides it; batch norm; ReLU unless `linear`."""

    def __init__(self, width_in: int, width: int, side: int, stride: int = 1, *, linear: bool = False) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(width_in, width, side, stride, side // 2, bias=False),
            nn.BatchNorm2d(width),
        ]
        super().__init__(*layers, *([] if linear else [nn.ReLU(inplace=True)]))


class SqueezeExcite(nn.Module):
    """Channels weighted by what the whole picture shows (Hu et al., CVPR 2018)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(width, max(8, width // 8), 1)
        self.excite = nn.Conv2d(max(8, width // 8), width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        weights = torch.relu(self.squeeze(x.mean((2, 3), keepdim=True)))
        return x * torch.sigmoid(self.excite(weights))


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al., CVPR 2016; the shortcut averages, He et al., CVPR 2019)."""

    def __init__(self, width_in: int, width: int, stride: int, *, excite: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvBatchNorm(width_in, width, 3, stride),
            ConvBatchNorm(width, width, 3, linear=True),
            *([SqueezeExcite(width)] if excite else []),
        )
        shortcut: list[nn.Module] = [nn.AvgPool2d(stride)] if stride > 1 else []
        if width != width_in:
            shortcut.append(ConvBatchNorm(width_in, width, 1, linear=True))
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return torch.relu(self.body(x) + self.shortcut(x))


class FaceNet(nn.Module):
    """A small residual network: `widths` are the channels at a half, a quarter and an eighth of the side, `blocks` how
    many residual blocks each has. Any side that 8 divides; gives logits [n, classes].
    """

    def __init__(
        self, channels: int, classes: int, widths: Sequence[int], blocks: Sequence[int], dropout: float
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            Standardise(),
            ConvBatchNorm(channels, widths[0] // 2, 3),
            ConvBatchNorm(widths[0] // 2, widths[0], 3, 2),
        )
        stages: list[nn.Module] = []
        before = widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for block in range(count):
                stride = 2 if stage and not block else 1
                stages.append(Residual(before, width, stride, excite=stage > 0))
                before = width
        self.stages = nn.Sequential(*stages)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(before, classes))
        _initialise(self)

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.head(self.stages(self.stem(pictures)).mean((2, 3)))
        return logits


class EmotionVggNet(nn.Sequential):
    """EmotionVGGNet (Rosebrock, Deep Learning for Computer Vision with Python, ImageNet bundle, chapter 11): blocks of
    two 3x3 convolutions with ELU and batch norm, then two fully connected layers of 64. Logits [n, classes].
    """

    def __init__(self, channels: int, classes: int, side: int) -> None:
        layers: list[nn.Module] = []
        before = channels
        for width in (32, 64, 128):
            for _ in range(2):
                layers += [nn.Conv2d(before, width, 3, padding=1), nn.ELU(inplace=True), nn.BatchNorm2d(width)]
                before = width
            layers += [nn.MaxPool2d(2), nn.Dropout(0.25)]
        layers.append(nn.Flatten())
        before *= (side // 8) ** 2
        for _ in range(2):
            layers += [nn.Linear(before, 64), nn.ELU(inplace=True), nn.BatchNorm1d(64), nn.Dropout(0.5)]
            before = 64
        super().__init__(*layers, nn.Linear(before, classes))
        _initialise(self)


class AgeGenderNet(nn.Sequential):
    """The network of Levi and Hassner (CVPR workshops 2015) with batch norm, as the same book has it in chapter 14;
    for 227 px. Logits [n, classes].
    """

    def __init__(self, channels: int, classes: int, side: int) -> None:
        layers: list[nn.Module] = []
        before = channels
        for width, kernel, stride in ((96, 7, 4), (256, 5, 1), (384, 3, 1)):
            padding = 0 if stride > 1 else kernel // 2
            layers += [nn.Conv2d(before, width, kernel, stride, padding), nn.ReLU(inplace=True), nn.BatchNorm2d(width)]
            layers += [nn.MaxPool2d(3, 2), nn.Dropout(0.25)]
            side = ((side - kernel + 2 * padding) // stride + 1 - 3) // 2 + 1
            before = width
        layers.append(nn.Flatten())
        before *= side**2
        for _ in range(2):
            layers += [nn.Linear(before, 512), nn.ReLU(inplace=True), nn.BatchNorm1d(512), nn.Dropout(0.5)]
            before = 512
        super().__init__(*layers, nn.Linear(before, classes))
        _initialise(self)


def build_network(recipe: Recipe) -> nn.Module:
    """The network of a recipe, with weights drawn anew.

    Raises:
        DataError: there is no such kind.
    """
    plan, classes = recipe.network, len(recipe.target.classes)
    match plan.kind:
        case "face-net":
            return FaceNet(plan.channels, classes, plan.widths, plan.blocks, plan.dropout)
        case "emotion-vgg":
            return EmotionVggNet(plan.channels, classes, plan.side)
        case "age-gender":
            return AgeGenderNet(plan.channels, classes, plan.side)
        case kind if kind == FACE_RESNET:
            least = min([plan.side, *(side for _, side in recipe.schedule.sides)])
            if least < LEAST_SIDE_PX:
                raise DataError(f"recipe {recipe.name!r}: a side is {least}, must be at least {LEAST_SIDE_PX} px")
            return FaceResNet(plan.channels, classes, plan.dropout)
        case unknown:
            known = "face-net, face-resnet, emotion-vgg, age-gender"
            raise DataError(f"recipe {recipe.name!r}: there is no network {unknown!r}; there are {known}")


def _initialise(network: nn.Module) -> None:
    """He et al., ICCV 2015; residual blocks begin as their shortcut."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        if isinstance(module, Residual):
            last = module.body[1][1]
            nn.init.zeros_(last.weight)
