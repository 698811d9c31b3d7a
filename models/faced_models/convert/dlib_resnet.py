"""dlib's face recognition network from its .dat: a ResNet of 29 layers (dlib's dnn_face_recognition_ex.cpp)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from faced_models.convert.dlib_layers import (
    Affine,
    Convolution,
    read_affine,
    read_convolution,
    read_layer_state,
    read_pooling,
    read_relu,
)
from faced_models.convert.dlib_stream import DlibStream

BLOCKS = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))
"""Filters, and how many residual blocks have them, from the picture on; the first block of all but the 32 halves."""

_CONVOLUTION = ("convolution", "affine")
_BLOCK = (*_CONVOLUTION, "relu", *_CONVOLUTION)
_STEM = (*_CONVOLUTION, "relu", "max_pool")
_HEAD = ("avg_pool", "fully_connected")


@dataclass(frozen=True, slots=True)
class FaceResNetWeights:
    """`means` are red, green and blue in 0..255, subtracted before values are divided by 256; `layers` the 29
    convolutions from the picture on, each with the affine layer behind it. The embedding of 128 values is left out.
    """

    means: tuple[float, float, float]
    layers: tuple[tuple[Convolution, Affine], ...]


def read_face_resnet(data: bytes, name: str) -> FaceResNetWeights:
    """Read dlib_face_recognition_resnet_model_v1.dat.

    Raises:
        WeightsError: the bytes are no such network, or some are left over.
    """
    stream = DlibStream(data, name)
    stream.version(1)
    stream.tag("loss_metric_2")
    stream.real(), stream.real()  # margin, and the distance below which two faces are one person's
    names = tuple(_from_the_picture())
    # Every layer writes its version, then the layer below, then itself: the innermost comes first.
    for layer in reversed(names[1:]):
        stream.version(1 if layer in ("tag", "skip") else 2)
    innermost = stream.version(2, 3)
    means = _means(stream)
    layers: list[tuple[Convolution, Affine]] = []
    convolution: Convolution | None = None
    for index, layer in enumerate(names):
        match layer:
            case "tag" | "skip":
                continue  # they hold nothing, not even a state
            case "convolution":
                convolution = read_convolution(stream)
            case "affine":
                assert convolution is not None
                layers.append((convolution, read_affine(stream)))
            case "relu":
                read_relu(stream)
            case "add":
                stream.tag("add_prev_")
            case "fully_connected":
                _fully_connected(stream)
            case pooling:
                read_pooling(stream, f"{pooling}_2")
        read_layer_state(stream, first=index == 0, version=innermost)
    stream.end()
    return FaceResNetWeights(means, tuple(layers))


def _from_the_picture() -> Iterator[str]:
    yield from _STEM
    for stage, (_, count) in enumerate(BLOCKS):
        for block in range(count):
            yield "tag"
            yield from _BLOCK
            if stage and not block:
                yield from ("tag", "skip", "avg_pool")
            yield from ("add", "relu")
    yield from _HEAD


def _means(stream: DlibStream) -> tuple[float, float, float]:
    stream.tag("input_rgb_image_sized")
    means = stream.real(), stream.real(), stream.real()
    stream.count(), stream.count()  # rows and columns of a picture
    return means


def _fully_connected(stream: DlibStream) -> None:
    stream.tag("fc_2")
    stream.count(), stream.count()  # outputs and inputs
    stream.tensor()
    stream.tensor_view(), stream.tensor_view()
    stream.count()  # whether it has biases
    for _ in range(4):
        stream.real()  # learning rates and weight decays
