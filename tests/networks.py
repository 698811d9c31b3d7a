"""Small ONNX networks that tests make themselves: how bright a face is, as a distribution."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str | None]


def brightness(
    path: Path,
    *,
    shape: Shape = ("n", 3, 32, 32),
    out: Shape = ("n", 2),
    weights: Sequence[float] = (-4.0, 4.0),
    softmax: bool = True,
    kind: int = TensorProto.FLOAT,
) -> str:
    """Writes a network whose values are the mean of all channels times `weights`, by softmax; gives its SHA-256."""
    nodes = []
    x = "x"
    if kind != TensorProto.FLOAT:
        nodes.append(helper.make_node("Cast", [x], ["cast"], to=TensorProto.FLOAT))
        x = "cast"
    nodes += [
        helper.make_node("ReduceMean", [x, "axes"], ["mean4"]),
        helper.make_node("Flatten", ["mean4"], ["mean"], axis=1),
        helper.make_node("MatMul", ["mean", "weights"], ["values" if softmax else "y"]),
    ]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["values"], ["y"], axis=1))
    constants = {"axes": np.array([1, 2, 3], np.int64), "weights": np.array([weights], np.float32)}
    return save(path, nodes, constants, shape=shape, out=out, kind=kind)


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    constants: Mapping[str, np.ndarray],
    *,
    shape: Shape,
    out: Shape,
    kind: int = TensorProto.FLOAT,
) -> str:
    """Writes a network from x to y; gives its SHA-256."""
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info("x", kind, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, list(out))],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)])
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString(deterministic=True)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def entry(
    sha256: str,
    *,
    name: str = "brightness",
    attribute: str = "light",
    where: str = 'file = "brightness.onnx"',
    colour: str = "rgb",
    size: int = 32,
    mean: Sequence[float] = (127.5, 127.5, 127.5),
    scale: str = "0.00784313725490196",
    more_input: str = "",
    axis: str = 'labels = ["dark", "bright"]',
    activation: str = "none",
    more: str = "",
) -> str:
    """A complete entry of a file of networks."""
    return f"""
[network.{name}]
attribute = "{attribute}"
{where}
sha256 = "{sha256}"
licence = "CC0-1.0"
input = {{ size = {size}, colour = "{colour}", mean = {list(mean)}, scale = {scale}{more_input} }}
crop = {{ kind = "chip", size = {size}, padding = 0.2 }}
axis = {{ {axis} }}
activation = "{activation}"
{more}
"""
