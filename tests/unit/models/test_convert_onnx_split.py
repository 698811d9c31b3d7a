import numpy as np
import onnx
import pytest

from faced_models.convert.onnx_graph import OnnxGraph
from faced_models.convert.onnx_split import split_network
from faced_models.manifest import load_manifest
from faced_models.store import verified_path


def test_mmod_begins_with_three_layers_of_stride_two_and_three_of_stride_one():
    model = verified_path(load_manifest().detector).read_bytes()
    parts = split_network(model)
    assert [(layer.stride, len(layer.bias)) for layer in parts.layers] == [
        (2, 16), (2, 32), (2, 32), (1, 48), (1, 48), (1, 48),
    ]  # fmt: skip
    assert [node.name for node in onnx.load_from_string(parts.tail).graph.node] == ["rows", "scores"]


def small(*, kernel=5, stride=2, pads=(0, 0, 0, 0), relu=True, bias=True, groups=1):
    graph = OnnxGraph("small")
    weights = np.ones((4, 4 // groups, kernel, kernel), np.float32)
    name = graph.convolution(
        "conv", "images", weights, np.zeros(4, np.float32) if bias else None,
        strides=(stride, stride), pads=pads, groups=groups,
    )  # fmt: skip
    name = graph.node("Relu" if relu else "Tanh", "active", [name])
    graph.convolution("scores", name, np.ones((1, 4, 1, 1), np.float32), None)
    return graph.finish("images", ["N", 4, "H", "W"], "scores", ["N", 1, "h", "w"])


def test_a_layer_of_stride_two_is_enough():
    assert [layer.stride for layer in split_network(small()).layers] == [2]


@pytest.mark.parametrize(
    "other",
    [
        {"kernel": 3}, {"pads": (2, 2, 2, 2)}, {"stride": 1, "pads": (2, 2, 2, 2)}, {"relu": False}, {"bias": False},
        {"groups": 2},
    ],
)  # fmt: skip
def test_networks_that_begin_otherwise_stay_whole(other):
    assert split_network(small(**other)) is None


def test_a_network_that_takes_an_earlier_value_again_stays_whole():
    model = onnx.load_from_string(small())
    model.graph.node.append(onnx.helper.make_node("Add", ["scores", "conv"], ["sum"]))
    model.graph.output[0].name = "sum"
    assert split_network(model.SerializeToString()) is None
