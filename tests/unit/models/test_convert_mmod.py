import numpy as np
import onnx
import onnxruntime as ort
import pytest

from faced_models.convert.mmod import DetectorWindow, MmodNetwork, OverlapTest, read_mmod
from faced_models.convert.mmod_graph import mmod_graph
from faced_models.errors import WeightsError
from faced_models.manifest import load_manifest
from faced_models.store import verified_path, verified_reference

DETECTOR = load_manifest().detector


@pytest.fixture(scope="module")
def original() -> bytes:
    return verified_reference(DETECTOR).read_bytes()


@pytest.fixture(scope="module")
def network(original: bytes) -> MmodNetwork:
    return read_mmod(original, "mmod.dat")


def scores(model: bytes, pyramid: np.ndarray) -> np.ndarray:
    return ort.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"pyramid": pyramid})[0]


def test_the_options_are_read(network):
    assert network.options.windows == (DetectorWindow(80, 80, ""),)
    assert network.options.overlaps_nms == OverlapTest(0.3382761351109955, 1.0)
    assert network.means == pytest.approx((122.782, 117.001, 104.298), abs=1e-5)
    assert (network.pyramid_padding, network.pyramid_outer_padding) == (10, 11)


def test_the_manifest_says_what_the_file_says(network):
    nms = network.options.overlaps_nms
    assert DETECTOR.input.mean == network.means
    assert (DETECTOR.options.iou, DETECTOR.options.percent_covered) == (nms.iou, nms.percent_covered)


def test_seven_convolutions_innermost_first(network):
    shapes = [(c.weights.shape, c.stride, c.padding) for c in network.convolutions]
    assert shapes == [
        ((16, 3, 5, 5), (2, 2), (0, 0)),
        ((32, 16, 5, 5), (2, 2), (0, 0)),
        ((32, 32, 5, 5), (2, 2), (0, 0)),
        ((45, 32, 5, 5), (1, 1), (2, 2)),
        ((45, 45, 5, 5), (1, 1), (2, 2)),
        ((45, 45, 5, 5), (1, 1), (2, 2)),
        ((1, 45, 9, 9), (1, 1), (4, 4)),
    ]
    assert all(c.weights.dtype == c.bias.dtype == np.float32 for c in network.convolutions)


@pytest.mark.parametrize("shape", [(1, 3, 40, 29), (2, 3, 211, 173), (1, 3, 333, 640)])
def test_the_rewritten_graph_gives_the_plain_graphs_scores(network, shape):
    pyramid = np.random.default_rng(sum(shape)).normal(0, 0.3, shape).astype(np.float32)
    plain = scores(mmod_graph(network.convolutions, rewritten=False), pyramid)
    assert np.abs(plain).max() > 0.1
    np.testing.assert_allclose(scores(mmod_graph(network.convolutions), pyramid), plain, atol=1e-4, rtol=0)


def test_the_committed_graph_is_the_rewritten_one(network):
    committed = verified_path(DETECTOR).read_bytes()
    assert committed == mmod_graph(network.convolutions)
    model = onnx.load_from_string(committed)
    assert (model.producer_name, model.ir_version, model.opset_import[0].version) == ("faced", 10, 18)
    shapes = [onnx.numpy_helper.to_array(w).shape for w in model.graph.initializer if w.name.endswith("weight")]
    assert shapes[3:] == [(48, 32, 5, 5), (48, 48, 5, 5), (48, 48, 5, 5), (16, 48, 1, 9), (1, 16, 9, 1)]


@pytest.mark.parametrize("length", [0, 1, 100, 400_000, 729_939])
def test_a_file_cut_short_is_refused(original, length):
    with pytest.raises(WeightsError, match=r"mmod\.dat: at byte \d+: the file ends"):
        read_mmod(original[:length], "mmod.dat")


def test_a_file_with_something_behind_it_is_refused(original):
    with pytest.raises(WeightsError, match="1 bytes left over"):
        read_mmod(original + b"\0", "mmod.dat")


def test_another_network_is_refused(original):
    with pytest.raises(WeightsError, match="'loss_mmad_'"):
        read_mmod(original.replace(b"loss_mmod_", b"loss_mmad_"), "mmod.dat")
