import cv2
import numpy as np
import onnx
import onnxruntime as ort
import pytest

from faced_models.fused_graph import FusedGraphs, Tiling
from faced_models.kernels import load_kernels
from faced_models.manifest import load_manifest
from faced_models.pyramid_builder import PyramidBuilder
from faced_models.store import verified_path
from faced_models.team import Team

ENTRY = load_manifest().detector
MEANS = np.array(ENTRY.input.mean, np.float32)
PADDINGS = (ENTRY.options.pyramid_padding, ENTRY.options.pyramid_outer_padding)
NETWORK = verified_path(ENTRY).read_bytes()

ON_CUDA_SINCE_1_21 = {"Transpose", "Cast", "Sub", "Mul", "Resize", "Pad", "Concat", "Add", "Conv", "Relu"}


@pytest.fixture(scope="module")
def graphs():
    return FusedGraphs(NETWORK, MEANS)


def session(model):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def network():
    return session(NETWORK)


def nodes(model):
    return onnx.load_from_string(model).graph.node


def with_pyramid(model):
    """The same graph that also gives out its tiled pyramid."""
    parsed = onnx.load_from_string(model)
    name = next(node for node in parsed.graph.node if node.op_type == "Conv").input[0]
    parsed.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    return parsed.SerializeToString()


@pytest.mark.parametrize(
    ("width", "height", "skip"),
    [
        (512, 512, 0),
        (640, 480, 0),
        (640, 480, 3),
        (337, 331, 0),
        (337, 331, 1),
        (100, 100, 0),
        (61, 97, 0),
        (40, 300, 0),
        (300, 40, 0),
        (300, 12, 0),  # one column only
        (18, 900, 0),  # a tile of the second column lies on one of the first
        (150, 150, 9),  # levels of 29 px and less
    ],
)
def test_pyramid_and_scores_are_those_of_the_compiled_pyramid(graphs, network, astronaut, width, height, skip):
    image = cv2.resize(astronaut, (width, height), interpolation=cv2.INTER_LINEAR)
    images = np.stack([image, image[:, ::-1]])
    builder = PyramidBuilder(load_kernels(), MEANS, *PADDINGS, Team(1))
    expected, recipe = builder.build(list(images), skip)
    tiling = Tiling.of(width, height, skip, *PADDINGS)
    assert tiling.layout == recipe.layout
    scores, pyramids = session(with_pyramid(graphs.write(tiling))).run(None, {"images": images})
    np.testing.assert_allclose(pyramids, expected, atol=5e-4)  # 0.13 grey levels: dlib's columns add up in float32
    assert np.array_equal(pyramids == 0, expected == 0)
    expected_scores = network.run(None, {"pyramid": expected})[0]
    assert scores.shape == expected_scores.shape
    near = expected_scores > -1  # what could become a box
    assert np.abs(scores - expected_scores)[near].max(initial=0) < 2e-4
    assert np.abs(scores - expected_scores).max() < 5e-4


def test_every_operator_runs_on_cuda_in_all_versions_that_are_supported(graphs):
    model = onnx.load_from_string(graphs.write(Tiling.of(640, 480, 0, *PADDINGS)))
    assert {node.op_type for node in model.graph.node} == ON_CUDA_SINCE_1_21
    # From set 19 on, Pad and Resize had no CUDA kernels for years and ran on the CPU without a word.
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 18)]
    assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert len(model.graph.output) == 1


def test_every_level_is_padded_once_and_only_the_rows_of_both_columns_are_added(graphs):
    tiling = Tiling.of(640, 480, 0, *PADDINGS)
    kinds = [node.op_type for node in nodes(graphs.write(tiling))]
    levels = len(tiling.layout.tiles)
    assert levels == 24
    assert (kinds.count("Resize"), kinds.count("Pad")) == (levels - 1, levels)
    assert (kinds.count("Add"), kinds.count("Concat"), kinds.count("Mul")) == (1, 3, 1)


def test_only_overlapping_tiles_need_a_mask(graphs):
    def masks(width, height):
        return [node.name for node in nodes(graphs.write(Tiling.of(width, height, 0, *PADDINGS)))].count("uncovered")

    assert masks(18, 900) == 1
    assert masks(640, 480) == 0
    assert masks(300, 12) == 0


def test_levels_that_are_left_out_are_made_but_not_laid_out(graphs):
    tiling = Tiling.of(640, 480, 3, *PADDINGS)
    kinds = [node.op_type for node in nodes(graphs.write(tiling))]
    assert tiling.sizes[3] == (370, 277)
    assert kinds.count("Resize") == kinds.count("Pad") - 1 + 3
    assert (tiling.layout.tiles[0].width, tiling.layout.tiles[0].height) == (370, 277)


def test_a_graph_is_written_with_the_same_bytes_every_time(graphs):
    tiling = Tiling.of(61, 97, 0, *PADDINGS)
    assert graphs.write(tiling) == graphs.write(tiling) == FusedGraphs(NETWORK, MEANS).write(tiling)
