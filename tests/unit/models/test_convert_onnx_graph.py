import numpy as np
import onnx
import onnxruntime as ort
import pytest

from faced_models.convert.carriers import find_wheel, read_source
from faced_models.convert.onnx_graph import OnnxGraph, without_denormals
from faced_models.manifest import load_manifest
from faced_models.store import verified_path

MANIFEST = load_manifest()
COMMITTED = ["age", "gender", "mini-xception", "faced-emotion"]


def run(model: bytes, images: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images})[0]


def weights(model: bytes) -> dict[str, np.ndarray]:
    return {w.name: onnx.numpy_helper.to_array(w) for w in onnx.load_from_string(model).graph.initializer}


def small_graph(kernel: np.ndarray) -> bytes:
    graph = OnnxGraph("small")
    graph.convolution("out", "images", kernel, np.array([0.5, 0.0], np.float32), pads=(1, 1, 1, 1))
    return graph.finish("images", ["N", 3, "H", "W"], "out", ["N", 2, "H", "W"])


def test_denormal_weights_become_zero_and_the_output_stays_to_the_bit():
    kernel = np.random.default_rng(0).normal(0, 1, (2, 3, 3, 3)).astype(np.float32)
    kernel[0, 0] = [[1e-31, -1e-38, 1e-45], [1e-30, -1.1e-30, 0], [1, -1, 0]]
    before = small_graph(kernel)
    after, changed = without_denormals(before, 1e-30)
    assert changed == 3
    expected = kernel.copy()
    expected[0, 0, 0] = 0
    np.testing.assert_array_equal(weights(after)["out.weight"], expected)
    images = np.random.default_rng(1).normal(0, 1, (2, 3, 9, 9)).astype(np.float32)
    np.testing.assert_array_equal(run(after, images), run(before, images))


def test_nothing_but_weights_is_changed():
    before = small_graph(np.full((2, 3, 3, 3), 1e-40, np.float32))
    after, changed = without_denormals(before, 1e-30)
    assert changed == 54
    expected = onnx.load_from_string(before)
    expected.graph.initializer[0].CopyFrom(
        onnx.numpy_helper.from_array(np.zeros((2, 3, 3, 3), np.float32), "out.weight")
    )
    assert onnx.load_from_string(after) == expected


def test_a_graph_is_the_same_bytes_every_time():
    kernel = np.random.default_rng(0).normal(0, 1, (2, 3, 3, 3)).astype(np.float32)
    assert small_graph(kernel) == small_graph(kernel)
    assert not [n for n in onnx.load_from_string(small_graph(kernel)).graph.node if n.doc_string]


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_networks_hold_no_denormal_weights(name):
    for tensor, values in weights(verified_path(MANIFEST.network(name)).read_bytes()).items():
        tiny = (values != 0) & (np.abs(values.astype(np.float64)) < 1e-30)
        assert not tiny.any(), tensor


@pytest.mark.parametrize("name", COMMITTED)
@pytest.mark.parametrize("count", [1, 3])
def test_committed_networks_take_any_number_of_faces(name, count):
    entry = MANIFEST.network(name)
    shape = (count, entry.input.colour.channels, entry.input.size, entry.input.size)
    images = np.random.default_rng(2).uniform(-0.5, 0.5, shape).astype(np.float32)
    model = verified_path(entry).read_bytes()
    probabilities = run(model, images)
    assert probabilities.shape == (count, len(entry.axis))
    if name != "faced-emotion":  # which leaves the softmax to the server
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(probabilities, [run(model, image[None])[0] for image in images], atol=1e-5)


@pytest.mark.parametrize(("attribute", "count"), [("age", 10857), ("gender", 16392)])
def test_age_and_gender_give_the_originals_output_to_the_bit(carriers, attribute, count):
    entry = MANIFEST.network(attribute)
    original = read_source(entry.source, find_wheel(entry.source, carriers))
    changed, zeroed = without_denormals(original, 1e-30)
    committed = verified_path(entry).read_bytes()
    assert changed == committed
    assert zeroed == count
    images = np.random.default_rng(3).uniform(-0.5, 0.5, (4, 3, entry.input.size, entry.input.size)).astype(np.float32)
    np.testing.assert_array_equal(run(committed, images), run(original, images))
