"""MMOD's seven convolutions as an ONNX graph, with two rewrites that change no number beyond rounding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from faced_models.convert.dlib_layers import Convolution
from faced_models.convert.onnx_graph import OnnxGraph

_LANES = 16
"""Channels are padded to a multiple of this: what a vector register of AVX-512 holds of float32."""


def mmod_graph(convolutions: Sequence[Convolution], *, rewritten: bool = True) -> bytes:
    """Input "pyramid" [N, 3, H, W], the normalised tiled pyramid; output "scores" [N, windows, h, w].

    `rewritten` pads channels with zeros to whole registers (45 to 48), and computes the last convolution's rows
    apart: one 1x9 convolution gives a plane for each kernel row, and a 9x1 convolution adds the planes up, each
    shifted by its row. Without it the graph is the network as dlib has it.
    """
    graph = OnnxGraph("mmod")
    layers = _padded(convolutions) if rewritten else convolutions
    name = "pyramid"
    for index, layer in enumerate(layers[:-1], start=1):
        name = _convolution(graph, f"conv{index}", name, layer)
        name = graph.node("Relu", f"relu{index}", [name])
    last = layers[-1]
    if rewritten:
        _by_rows(graph, name, last)
    else:
        _convolution(graph, "scores", name, last)
    return graph.finish("pyramid", ["N", 3, "H", "W"], "scores", ["N", len(last.bias), "h", "w"])


def _convolution(graph: OnnxGraph, name: str, source: str, layer: Convolution) -> str:
    down, across = layer.padding
    return graph.convolution(
        name, source, layer.weights, layer.bias, strides=layer.stride, pads=(down, across, down, across)
    )


def _padded(layers: Sequence[Convolution]) -> tuple[Convolution, ...]:
    """Every layer but the last gives whole registers of channels; the added ones are zero, before and after ReLU."""
    padded = []
    inputs = layers[0].weights.shape[1]
    for index, layer in enumerate(layers):
        filters, _, rows, columns = layer.weights.shape
        outputs = filters if index == len(layers) - 1 else -(-filters // _LANES) * _LANES
        weights = np.zeros((outputs, inputs, rows, columns), np.float32)
        weights[:filters, : layer.weights.shape[1]] = layer.weights
        bias = np.zeros(outputs, np.float32)
        bias[:filters] = layer.bias
        padded.append(Convolution(weights, bias, layer.stride, layer.padding))
        inputs = outputs
    return tuple(padded)


def _by_rows(graph: OnnxGraph, source: str, layer: Convolution) -> None:
    windows, inputs, rows, columns = layer.weights.shape
    down, across = layer.padding
    planes = -(-windows * rows // _LANES) * _LANES
    # Plane r is kernel row r at every line of the input, so the vertical padding waits for the second step; the
    # lines beyond the edge are zero planes there, as they are zero inputs in the plain convolution.
    row_weights = np.zeros((planes, inputs, 1, columns), np.float32)
    row_weights[: windows * rows, :, 0, :] = layer.weights.transpose(0, 2, 1, 3).reshape(-1, inputs, columns)
    by_row = graph.convolution("rows", source, row_weights, None, pads=(0, across, 0, across))
    pick: NDArray[np.float32] = np.zeros((windows, planes, rows, 1), np.float32)
    for window in range(windows):
        pick[window, window * rows + np.arange(rows), np.arange(rows), 0] = 1.0
    graph.convolution("scores", by_row, pick, layer.bias, pads=(down, 0, down, 0))
