"""Layers as dlib's networks write them (dlib/dnn/layers.h, core.h): what networks of any shape share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faced_models.convert.dlib_stream import DlibStream


@dataclass(frozen=True, slots=True)
class Convolution:
    """weights float32 [out, in, rows, columns], bias float32 [out]."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    stride: tuple[int, int]
    padding: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Affine:
    """float64 [channels] each: x * scale + shift."""

    scale: NDArray[np.float64]
    shift: NDArray[np.float64]


def read_convolution(stream: DlibStream) -> Convolution:
    """A `con_` layer; without a bias, zeros."""
    tag = stream.tag("con_4", "con_5", "con_6")
    params = stream.tensor().reshape(-1)
    filters, rows, columns = stream.count(), stream.count(), stream.count()
    stride = (stream.count(), stream.count())
    padding = (stream.count(), stream.count())
    weights_shape, bias_shape = stream.tensor_view(), stream.tensor_view()
    for _ in range(4):
        stream.real()  # learning rates and weight decays
    use_bias = stream.boolean() if tag != "con_4" else True
    if tag == "con_6":
        stream.boolean()
    size = int(np.prod(weights_shape))
    biases = int(np.prod(bias_shape)) if use_bias else 0
    if weights_shape[0] != filters or weights_shape[2:] != (rows, columns) or size + biases != params.size:
        raise stream.unexpected(f"a convolution of {filters} filters {rows}x{columns} with weights {weights_shape}")
    bias = params[size:] if biases else np.zeros(filters, np.float32)
    return Convolution(params[:size].reshape(weights_shape), bias, stride, padding)


def read_batch_norm(stream: DlibStream) -> Affine:
    """A `bn_con` layer as dlib's `affine_` takes it over: gamma / sqrt(variance + eps)."""
    stream.tag("bn_con2")
    params = stream.tensor().astype(np.float64).reshape(-1)
    gamma_shape, beta_shape = stream.tensor_view(), stream.tensor_view()
    stream.tensor()  # means of the last training batch
    stream.tensor()  # their inverse standard deviations
    means = stream.tensor().astype(np.float64).reshape(-1)
    variances = stream.tensor().astype(np.float64).reshape(-1)
    stream.count()  # updates so far
    stream.count()  # window of the running statistics
    for _ in range(4):
        stream.real()  # learning rates and weight decays
    eps = stream.real()
    channels = int(np.prod(gamma_shape))
    if params.size != channels + int(np.prod(beta_shape)) or not means.size == variances.size == channels:
        raise stream.unexpected(f"a batch norm of {channels} channels with {params.size} parameters")
    scale = params[:channels] / np.sqrt(variances + eps)
    return Affine(scale, params[channels:] - scale * means)


def read_affine(stream: DlibStream) -> Affine:
    """An `affine_` layer: a batch norm that is done with learning."""
    stream.tag("affine_")
    params = stream.tensor().astype(np.float64).reshape(-1)
    gamma_shape, beta_shape = stream.tensor_view(), stream.tensor_view()
    stream.count()  # whether it stands for a batch norm of convolutions or of layers that are fully connected
    channels = int(np.prod(gamma_shape))
    if params.size != channels + int(np.prod(beta_shape)):
        raise stream.unexpected(f"an affine layer of {channels} channels with {params.size} parameters")
    return Affine(params[:channels], params[channels:])


def read_relu(stream: DlibStream) -> None:
    """A `relu_` layer, which holds nothing."""
    if stream.tag("relu_", "relu_2") == "relu_2" and stream.boolean():
        raise stream.unexpected("a ReLU that is switched off")


def read_pooling(stream: DlibStream, tag: str) -> None:
    """A `max_pool_` or `avg_pool_` layer: window, strides and padding, all of which its network knows."""
    stream.tag(tag)
    for _ in range(6):
        stream.count()


def read_layer_state(stream: DlibStream, *, first: bool, version: int) -> None:
    """What training left in a layer: flags, gradients and cached outputs."""
    for _ in range(3):
        stream.boolean()
    for _ in range(3):
        stream.tensor()
    if first and version >= 3:
        stream.integer()
