"""dlib's face detector from its .dat: options, input layer and seven convolutions (King, arXiv:1502.00046).

The layout is that of dlib/dnn/core.h, layers.h, loss.h and input.h at the versions that the file holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faced_models.convert.dlib_layers import (
    Affine,
    Convolution,
    read_batch_norm,
    read_convolution,
    read_layer_state,
    read_relu,
)
from faced_models.convert.dlib_stream import DlibStream
from faced_models.network_entry import DetectorWindow

_LAYERS = 19
"""Seven convolutions; batch norm and ReLU after each but the last."""

# dlib's defaults where a file of the older version says nothing.
_OLD_PADDING, _OLD_OUTER_PADDING = 10, 11


@dataclass(frozen=True, slots=True)
class OverlapTest:
    """When two boxes are the same face: dlib's IoU, or the covered fraction of either, above these."""

    iou: float
    percent_covered: float


@dataclass(frozen=True, slots=True)
class MmodOptions:
    """dlib's mmod_options before it knew bounding box regression (versions 1 and 2)."""

    windows: tuple[DetectorWindow, ...]
    loss_per_false_alarm: float
    loss_per_missed_target: float
    truth_match_iou_threshold: float
    overlaps_nms: OverlapTest
    overlaps_ignore: OverlapTest


@dataclass(frozen=True, slots=True)
class MmodNetwork:
    """All that the file says. `means` are red, green, blue in 0..255; paddings of the tiled pyramid in pixels;
    batch norms are folded into `convolutions`.
    """

    means: tuple[float, float, float]
    pyramid_padding: int
    pyramid_outer_padding: int
    options: MmodOptions
    convolutions: tuple[Convolution, ...]


@dataclass(frozen=True, slots=True)
class _Input:
    means: tuple[float, float, float]
    padding: int
    outer_padding: int


def read_mmod(data: bytes, name: str) -> MmodNetwork:
    """Read mmod_human_face_detector.dat.

    Raises:
        WeightsError: the bytes are no such network, or some are left over.
    """
    stream = DlibStream(data, name)
    stream.version(1)
    stream.tag("loss_mmod_")
    options = _options(stream)
    # Every layer writes its version, then the layer below, then itself: the innermost comes first.
    for _ in range(_LAYERS - 1):
        stream.version(2)
    innermost = stream.version(2, 3)
    source = _input(stream)
    convolutions: list[Convolution] = []
    for index in range(_LAYERS):
        kind = index % 3
        if kind == 0:
            convolutions.append(read_convolution(stream))
        elif kind == 1:
            convolutions[-1] = _folded(convolutions[-1], read_batch_norm(stream))
        else:
            read_relu(stream)
        read_layer_state(stream, first=index == 0, version=innermost)
    stream.end()
    return MmodNetwork(source.means, source.padding, source.outer_padding, options, tuple(convolutions))


def _options(stream: DlibStream) -> MmodOptions:
    version = stream.version(1, 2)
    if version == 1:
        windows: tuple[DetectorWindow, ...] = (DetectorWindow(stream.count(), stream.count(), ""),)
    else:
        windows = tuple(_window(stream) for _ in range(stream.count()))
    false_alarm, missed, truth = stream.real(), stream.real(), stream.real()
    nms = OverlapTest(stream.real(), stream.real())
    ignore = OverlapTest(stream.real(), stream.real())
    return MmodOptions(windows, false_alarm, missed, truth, nms, ignore)


def _window(stream: DlibStream) -> DetectorWindow:
    version = stream.version(1, 2)
    width, height = stream.count(), stream.count()
    return DetectorWindow(width, height, stream.string() if version == 2 else "")


def _input(stream: DlibStream) -> _Input:
    tag = stream.tag("input_rgb_image_pyramid", "input_rgb_image_pyramid2")
    # dlib keeps the means as float.
    red, green, blue = (float(np.float32(stream.real())) for _ in range(3))
    if tag == "input_rgb_image_pyramid":
        return _Input((red, green, blue), _OLD_PADDING, _OLD_OUTER_PADDING)
    return _Input((red, green, blue), stream.count(), stream.count())


def _folded(layer: Convolution, norm: Affine) -> Convolution:
    if norm.scale.size != layer.bias.size:
        raise ValueError(f"batch norm of {norm.scale.size} channels after {layer.bias.size} filters")
    weights = layer.weights.astype(np.float64) * norm.scale[:, None, None, None]
    bias = layer.bias.astype(np.float64) * norm.scale + norm.shift
    return Convolution(weights.astype(np.float32), bias.astype(np.float32), layer.stride, layer.padding)
