"""A network in two parts: the 5x5 convolutions that it begins with, and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

_PLAIN = {"group": 1, "dilations": [1, 1], "kernel_shape": [5, 5], "auto_pad": b"NOTSET"}
_STRIDES = {((2, 2), (0, 0, 0, 0)): 2, ((1, 1), (2, 2, 2, 2)): 1}
"""Strides and pads to what `SplitLayer` calls stride."""


@dataclass(frozen=True, slots=True)
class SplitLayer:
    """A convolution and ReLU, of stride 2 without padding or of stride 1 with padding 2.

    `weights` float32 [out, in, 5, 5], `bias` [out].
    """

    stride: int
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SplitNetwork:
    """`tail` is an ONNX model that takes what the layers give."""

    layers: tuple[SplitLayer, ...]
    tail: bytes


def split_network(network: bytes) -> SplitNetwork | None:
    """The layers that a network begins with, those of stride 2 before those of stride 1; None if it has none."""
    model = onnx.load_from_string(network)
    nodes = list(model.graph.node)
    weights = {weight.name: onnx.numpy_helper.to_array(weight) for weight in model.graph.initializer}
    source = model.graph.input[0].name
    layers: list[SplitLayer] = []
    for convolution, relu in zip(nodes[::2], nodes[1::2], strict=False):
        layer = _layer(convolution, relu, source, weights)
        if layer is None or (layers and layer.stride > layers[-1].stride):
            break
        layers.append(layer)
        source = relu.output[0]
    rest = nodes[2 * len(layers) :]
    before = {name for node in nodes[: 2 * len(layers)] for name in node.output} - {source}
    if not layers or layers[0].stride != 2 or not rest or any(name in before for node in rest for name in node.input):
        return None
    return SplitNetwork(tuple(layers), _tail(model, rest, source, len(layers[-1].bias)))


def _layer(
    convolution: onnx.NodeProto, relu: onnx.NodeProto, source: str, weights: dict[str, NDArray[np.float32]]
) -> SplitLayer | None:
    names = list(convolution.input)
    if convolution.op_type != "Conv" or len(names) != 3 or names[0] != source or not {*names[1:]} <= weights.keys():
        return None
    if relu.op_type != "Relu" or relu.input[0] != convolution.output[0]:
        return None
    given = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in convolution.attribute}
    shape = tuple(given.pop("strides", (1, 1))), tuple(given.pop("pads", (0, 0, 0, 0)))
    kernel, bias = weights[names[1]], weights[names[2]]
    if shape not in _STRIDES or not given.items() <= _PLAIN.items() or kernel.shape[2:] != (5, 5):
        return None
    return SplitLayer(_STRIDES[shape], kernel, bias)


def _tail(model: onnx.ModelProto, nodes: Sequence[onnx.NodeProto], source: str, channels: int) -> bytes:
    used = {name for node in nodes for name in node.input}
    given = onnx.helper.make_tensor_value_info(source, onnx.TensorProto.FLOAT, ["N", channels, "h", "w"])
    weights = [weight for weight in model.graph.initializer if weight.name in used]
    graph = onnx.helper.make_graph(list(nodes), model.graph.name, [given], list(model.graph.output), weights)
    part = onnx.helper.make_model(graph, ir_version=model.ir_version, opset_imports=model.opset_import)
    onnx.checker.check_model(part)
    serialised: bytes = part.SerializeToString(deterministic=True)
    return serialised
