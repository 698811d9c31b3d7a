"""A Keras image classifier as an ONNX graph: channels first, padding explicit, batch norm folded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faced_models.convert.keras_file import KerasLayer, KerasModel
from faced_models.convert.onnx_graph import OnnxGraph
from faced_models.errors import WeightsError


@dataclass(frozen=True, slots=True)
class _Value:
    """An output of a layer: its name in the graph, channels, and side lengths (rows, columns; empty when pooled)."""

    name: str
    channels: int
    size: tuple[int, ...]


def keras_graph(model: KerasModel, name: str) -> bytes:
    """Input "images" [N, channels, rows, columns], output "probabilities" [N, classes].

    Raises:
        WeightsError: a layer's kind or setting is not known here; names the layer.
    """
    return _Converter(model, name).convert()


class _Converter:
    def __init__(self, model: KerasModel, name: str) -> None:
        self._model = model
        self._graph = OnnxGraph(name)
        self._values: dict[str, _Value] = {}
        self._norms = _foldable(model)
        self._input_shape: list[int | str] = []
        self._kinds: dict[str, Callable[[KerasLayer], _Value]] = {
            "InputLayer": self._input,
            "Conv2D": self._conv2d,
            "SeparableConv2D": self._separable,
            "BatchNormalization": self._folded_norm,
            "Activation": self._activation,
            "MaxPooling2D": self._max_pool,
            "Add": self._add,
            "GlobalAveragePooling2D": self._average,
        }

    def convert(self) -> bytes:
        for layer in self._model.layers:
            handler = self._kinds.get(layer.kind)
            if handler is None:
                raise WeightsError(f"layer {layer.name!r} is a {layer.kind}: this kind of Keras layer is not supported")
            self._values[layer.name] = handler(layer)
        last = self._values[self._model.output]
        self._graph.node("Identity", "probabilities", [last.name])
        return self._graph.finish("images", self._input_shape, "probabilities", ["N", last.channels])

    def _input(self, layer: KerasLayer) -> _Value:
        shape = layer.settings.get("batch_input_shape")
        if not isinstance(shape, list) or len(shape) != 4 or not all(isinstance(v, int) for v in shape[1:]):
            raise WeightsError(f"input {layer.name!r}: shape {shape!r}, expected [None, rows, columns, channels]")
        rows, columns, channels = shape[1:]
        self._input_shape = ["N", channels, rows, columns]
        return _Value("images", channels, (rows, columns))

    def _conv2d(self, layer: KerasLayer) -> _Value:
        layer.choice("dilation_rate", [1, 1])
        # Keras has [rows, columns, in, out].
        kernel = layer.weight("kernel").transpose(3, 2, 0, 1)
        weights, bias = self._with_norm(layer, kernel)
        return self._convolved(layer, layer.name, self._source(layer), weights, bias)

    def _separable(self, layer: KerasLayer) -> _Value:
        layer.choice("dilation_rate", [1, 1])
        layer.choice("depth_multiplier", 1)
        source = self._source(layer)
        # Keras has [rows, columns, channels, multiplier]; a grouped convolution wants [channels, 1, rows, columns].
        depthwise = layer.weight("depthwise_kernel").transpose(2, 3, 0, 1)
        spatial = self._convolved(
            layer, f"{layer.name}.depthwise", source, depthwise, None, groups=source.channels, activate=False
        )
        pointwise, bias = self._with_norm(layer, layer.weight("pointwise_kernel").transpose(3, 2, 0, 1))
        name = self._graph.convolution(layer.name, spatial.name, pointwise, bias)
        return self._activated(layer, _Value(name, len(pointwise), spatial.size))

    def _convolved(
        self,
        layer: KerasLayer,
        name: str,
        source: _Value,
        weights: NDArray[np.float32],
        bias: NDArray[np.float32] | None,
        *,
        groups: int = 1,
        activate: bool = True,
    ) -> _Value:
        kernel = (weights.shape[2], weights.shape[3])
        size, pads = _window(layer, source, kernel)
        strides = layer.pair("strides")
        self._graph.convolution(name, source.name, weights, bias, strides=strides, pads=pads, groups=groups)
        value = _Value(name, len(weights), size)
        return self._activated(layer, value) if activate else value

    def _with_norm(
        self, layer: KerasLayer, kernel: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Kernel [out, in, rows, columns] and bias with the batch norm that follows, in float64 until the end."""
        bias = layer.weights.get("bias")
        norm = self._norms.get(layer.name)
        if norm is None:
            return kernel, bias
        scale = 1.0 / np.sqrt(norm.weight("moving_variance").astype(np.float64) + norm.real("epsilon"))
        if norm.choice("scale", True, False):
            scale = scale * norm.weight("gamma")
        shift = -scale * norm.weight("moving_mean")
        if norm.choice("center", True, False):
            shift = shift + norm.weight("beta")
        if bias is not None:
            shift = shift + scale * bias
        return (kernel * scale[:, None, None, None]).astype(np.float32), shift.astype(np.float32)

    def _folded_norm(self, layer: KerasLayer) -> _Value:
        if layer.name not in {norm.name for norm in self._norms.values()}:
            raise WeightsError(f"batch norm {layer.name!r} follows no convolution of its own: it cannot be folded")
        return self._source(layer)

    def _activation(self, layer: KerasLayer) -> _Value:
        return self._activated(layer, self._source(layer))

    def _activated(self, layer: KerasLayer, value: _Value) -> _Value:
        kind = layer.choice("activation", "linear", "relu", "softmax")
        if kind == "linear":
            return value
        name = f"{layer.name}.{kind}"
        if kind == "relu":
            return _Value(self._graph.node("Relu", name, [value.name]), value.channels, value.size)
        if value.size:
            raise WeightsError(f"{layer.name!r}: softmax over an image is not supported")
        return _Value(self._graph.node("Softmax", name, [value.name], {"axis": 1}), value.channels, ())

    def _max_pool(self, layer: KerasLayer) -> _Value:
        source, kernel = self._source(layer), layer.pair("pool_size")
        size, pads = _window(layer, source, kernel)
        attributes = {"kernel_shape": kernel, "pads": pads, "strides": layer.pair("strides")}
        # ONNX, like Keras, leaves padding out of the maximum.
        name = self._graph.node("MaxPool", layer.name, [source.name], {**attributes})
        return _Value(name, source.channels, size)

    def _add(self, layer: KerasLayer) -> _Value:
        if len(layer.inputs) != 2:
            raise WeightsError(f"Add {layer.name!r} of {len(layer.inputs)} layers: two are supported")
        left, right = (self._values[name] for name in layer.inputs)
        if (left.channels, left.size) != (right.channels, right.size):
            raise WeightsError(f"Add {layer.name!r} of {left} and {right}")
        return _Value(self._graph.node("Add", layer.name, [left.name, right.name]), left.channels, left.size)

    def _average(self, layer: KerasLayer) -> _Value:
        layer.choice("data_format", "channels_last")
        source = self._source(layer)
        pooled = self._graph.node("GlobalAveragePool", f"{layer.name}.mean", [source.name])
        name = self._graph.node("Flatten", layer.name, [pooled], {"axis": 1})
        return _Value(name, source.channels, ())

    def _source(self, layer: KerasLayer) -> _Value:
        if len(layer.inputs) != 1 or layer.inputs[0] not in self._values:
            raise WeightsError(f"{layer.kind} {layer.name!r} has inputs {layer.inputs}, expected one earlier layer")
        return self._values[layer.inputs[0]]


def _foldable(model: KerasModel) -> dict[str, KerasLayer]:
    """Convolution's name -> the batch norm that alone reads it."""
    readers: dict[str, list[KerasLayer]] = {}
    for layer in model.layers:
        for source in layer.inputs:
            readers.setdefault(source, []).append(layer)
    return {
        layer.name: readers[layer.name][0]
        for layer in model.layers
        if layer.kind in ("Conv2D", "SeparableConv2D")
        and layer.settings.get("activation") == "linear"
        and [reader.kind for reader in readers.get(layer.name, [])] == ["BatchNormalization"]
    }


def _window(
    layer: KerasLayer, source: _Value, kernel: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
    """Output size and padding (top, left, bottom, right) of a sliding window.

    "same" gives ceil(size / stride); where the padding is odd, Keras (TensorFlow) puts the extra pixel after.
    """
    layer.choice("data_format", "channels_last")
    same = layer.choice("padding", "same", "valid") == "same"
    sizes, before, after = [], [], []
    for length, reach, step in zip(source.size, kernel, layer.pair("strides"), strict=True):
        if same:
            out = -(-length // step)
            total = max((out - 1) * step + reach - length, 0)
        else:
            out, total = (length - reach) // step + 1, 0
        sizes.append(out)
        before.append(total // 2)
        after.append(total - total // 2)
    return (sizes[0], sizes[1]), (before[0], before[1], after[0], after[1])
