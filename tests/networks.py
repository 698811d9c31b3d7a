"""Small ONNX networks that tests make themselves: how bright a face is, as a distribution, and detectors of lights."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from faced_models.convert.onnx_graph import OnnxGraph

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


def lights(path: Path, windows: int, *, than: float = 0.4) -> str:
    """Writes a detector of bright and dark places in turn, those by more `than` so much; gives its SHA-256.

    Three means of stride 2, then one channel a window.
    """
    graph = OnnxGraph("bright")
    name = "pyramid"
    for index, (inputs, outputs) in enumerate(((3, 1), (1, 1), (1, 1))):
        weights = np.full((outputs, inputs, 5, 5), 1 / (inputs * 25), np.float32)
        name = graph.convolution(f"mean{index}", name, weights, np.zeros(outputs, np.float32), strides=(2, 2))
    signs = np.array([1.0, -1.0, 1.0], np.float32)[:windows].reshape(windows, 1, 1, 1)
    graph.convolution("scores", name, signs, np.full(windows, -than, np.float32))
    data = graph.finish("pyramid", ["N", 3, "H", "W"], "scores", ["N", windows, "h", "w"])
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def detector_entry(sha256: str, windows: Sequence[str], *, name: str = "bright", more: str = "") -> str:
    """A complete entry of a file of networks, of a detector in "bright.onnx"."""
    options = "iou = 0.1, percent_covered = 0.5, pyramid_padding = 10, pyramid_outer_padding = 11"
    return f"""
[network.{name}]
role = "detector"
file = "bright.onnx"
sha256 = "{sha256}"
input = {{ size = 40, colour = "rgb", mean = [127.5, 127.5, 127.5], scale = 0.00390625 }}
detector = {{ {options}, windows = {list(windows)} }}
{more}
"""
