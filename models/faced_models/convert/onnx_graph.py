"""The only importer of onnx: a graph built node by node, written with the same bytes every time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray

IR_VERSION = 10
OPSET = 18

Dimension = int | str
"""A fixed size, or the name of one that is known only at run time."""

Attribute = int | float | str | Sequence[int]


class OnnxGraph:
    """A graph with one input and one float32 output; nodes and weights keep the order in which they come."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def weight(self, name: str, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """A constant; returns its name."""
        self._weights.append(onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, name: str, inputs: Sequence[str], attributes: dict[str, Attribute] | None = None) -> str:
        """One operator with one output; the output has the node's name, which is returned."""
        made = onnx.helper.make_node(kind, list(inputs), [name], name=name)
        for key, value in sorted((attributes or {}).items()):
            made.attribute.append(onnx.helper.make_attribute(key, value))
        self._nodes.append(made)
        return name

    def convolution(
        self,
        name: str,
        source: str,
        weights: NDArray[np.float32],
        bias: NDArray[np.float32] | None,
        *,
        strides: tuple[int, int] = (1, 1),
        pads: tuple[int, int, int, int] = (0, 0, 0, 0),
        groups: int = 1,
    ) -> str:
        """A convolution with weights [out, in / groups, rows, columns]; returns its output's name.

        `pads` are top, left, bottom, right.
        """
        inputs = [source, self.weight(f"{name}.weight", weights)]
        if bias is not None:
            inputs.append(self.weight(f"{name}.bias", bias))
        attributes: dict[str, Attribute] = {
            "group": groups,
            "kernel_shape": weights.shape[2:],
            "pads": pads,
            "strides": strides,
        }
        return self.node("Conv", name, inputs, attributes)

    def append(self, model: bytes, source: str) -> str:
        """All of another model of this operator set, with `source` as its one input; returns its output's name."""
        graph = onnx.load_from_string(model).graph
        for node in graph.node:
            node.input[:] = [source if name == graph.input[0].name else name for name in node.input]
        self._nodes += graph.node
        self._weights += graph.initializer
        return str(graph.output[0].name)

    def finish(
        self,
        input_name: str,
        input_shape: Sequence[Dimension],
        output_name: str,
        output_shape: Sequence[Dimension],
        *,
        bytes_in: bool = False,
    ) -> bytes:
        """The checked model, serialised; its input is float32, or uint8 with `bytes_in`."""
        input_type = onnx.TensorProto.UINT8 if bytes_in else onnx.TensorProto.FLOAT
        graph = onnx.helper.make_graph(
            self._nodes,
            self._name,
            [onnx.helper.make_tensor_value_info(input_name, input_type, list(input_shape))],
            [onnx.helper.make_tensor_value_info(output_name, onnx.TensorProto.FLOAT, list(output_shape))],
            self._weights,
        )
        model = onnx.helper.make_model(
            graph, producer_name="faced", ir_version=IR_VERSION, opset_imports=[onnx.helper.make_opsetid("", OPSET)]
        )
        onnx.checker.check_model(model, full_check=True)
        serialised: bytes = model.SerializeToString(deterministic=True)
        return serialised


def without_denormals(model: bytes, threshold: float) -> tuple[bytes, int]:
    """The same model with every float32 weight of magnitude below `threshold` set to zero, and how many there were."""
    parsed = onnx.load_from_string(model)
    changed = 0
    for weight in parsed.graph.initializer:
        if weight.data_type != onnx.TensorProto.FLOAT:
            continue
        values = onnx.numpy_helper.to_array(weight).copy()
        tiny = (np.abs(values) < threshold) & (values != 0)
        if not tiny.any():
            continue
        values[tiny] = 0.0
        changed += int(tiny.sum())
        weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    serialised: bytes = parsed.SerializeToString(deterministic=True)
    return serialised, changed
