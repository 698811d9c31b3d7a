"""Networks that do not fit their entry: each is named with its file and its own shapes."""

import re
from hashlib import sha256

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from faced_models.classifier_loader import load_classifier
from faced_models.errors import WeightsError
from faced_models.manifest import load_manifest
from tests.networks import brightness, entry, save


def classifier_of(folder, text):
    """The network that `text` describes."""
    path = folder / "mine.toml"
    path.write_text(text)
    return load_classifier(load_manifest(models_file=path).attributes["light"], device="cpu", threads=1)


@pytest.fixture
def load(tmp_path):
    """Makes a network and its entry, and loads it."""

    def run(network: dict, **fields):
        return classifier_of(tmp_path, entry(brightness(tmp_path / "brightness.onnx", **network), **fields))

    return run


def faces(*levels: tuple[int, int, int]) -> np.ndarray:
    """Even crops, one of each colour."""
    return np.broadcast_to(np.array(levels, np.uint8)[:, None, None], (len(levels), 32, 32, 3))


def probabilities(classifier, *levels):
    return [one.probabilities for one in classifier.classify(faces(*levels))]


BRIGHT = 1 / (1 + np.exp(-8.0))


def test_a_network_that_fits_says_how_bright_a_face_is(load):
    light = load({})
    assert light.info.axis.labels == ("dark", "bright")
    white, middle, black = probabilities(light, (255,) * 3, (127,) * 3, (0,) * 3)
    assert white == pytest.approx((1 - BRIGHT, BRIGHT), abs=1e-6)
    assert middle == pytest.approx((0.5, 0.5), abs=0.01)
    assert black == pytest.approx((BRIGHT, 1 - BRIGHT), abs=1e-6)


@pytest.mark.parametrize(
    ("network", "fields"),
    [
        ({"softmax": False}, {"activation": "softmax"}),
        ({"weights": [8.0], "out": ("n", 1), "softmax": False}, {"activation": "sigmoid"}),
        ({"shape": ("n", 32, 32, 3)}, {"more_input": ', layout = "nhwc"'}),
        ({"shape": (1, 3, 32, 32), "out": (1, 2)}, {}),
        ({"shape": ("n", 1, 32, 32)}, {"colour": "grey", "mean": [127.5]}),
        ({"kind": TensorProto.FLOAT16}, {}),
        ({"kind": TensorProto.DOUBLE}, {}),
        ({"out": ("n", "classes")}, {}),
    ],
    ids=["logits", "one logit", "channels last", "one face at a time", "grey", "float16", "double", "open width"],
)
def test_other_forms_of_the_same_network_say_the_same(load, network, fields):
    white, black = probabilities(load(network, **fields), (255,) * 3, (0,) * 3)
    assert white == pytest.approx((1 - BRIGHT, BRIGHT), abs=1e-3)
    assert black == pytest.approx((BRIGHT, 1 - BRIGHT), abs=1e-3)


def test_a_network_of_whole_bytes_normalises_itself(load):
    light = load({"kind": TensorProto.UINT8, "weights": (-0.004, 0.004)}, mean=(0, 0, 0), scale="1")
    (white,) = probabilities(light, (255,) * 3)
    assert white[1] == pytest.approx(1 / (1 + np.exp(-0.008 * 255)), abs=1e-6)


def test_a_network_that_gives_the_probability_itself_needs_no_activation(load):
    light = load({"weights": [1 / 255], "out": ("n", 1), "softmax": False}, mean=(0, 0, 0), scale="1")
    assert probabilities(light, (51,) * 3) == [pytest.approx((0.8, 0.2), abs=1e-6)]


@pytest.mark.parametrize(("colour", "first"), [("rgb", 200), ("bgr", 40)])
def test_colours_come_in_the_order_of_the_entry(tmp_path, colour, first):
    nodes = [
        helper.make_node("Slice", ["x", "zero", "one", "one"], ["first"]),
        helper.make_node("ReduceMean", ["first", "axes"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["y"]),
    ]
    constants = {name: np.array(value, np.int64) for name, value in (("zero", [0]), ("one", [1]), ("axes", [1, 2, 3]))}
    digest = save(tmp_path / "brightness.onnx", nodes, constants, shape=("n", 3, 32, 32), out=("n", 1))
    text = entry(digest, colour=colour, mean=(0, 0, 0), scale="0.00392156862745098")
    assert probabilities(classifier_of(tmp_path, text), (200, 100, 40))[0][1] == pytest.approx(first / 255, abs=1e-6)


def test_a_batch_that_is_fixed_inside_shows_in_the_run(tmp_path):
    constants = {"flat": np.array([1, -1], np.int64)}
    nodes = [helper.make_node("Reshape", ["x", "flat"], ["one"]), helper.make_node("Softmax", ["one"], ["y"])]
    digest = save(tmp_path / "brightness.onnx", nodes, constants, shape=("n", 1, 4, 4), out=("k", "m"))
    text = entry(digest, colour="grey", size=4, mean=[127.5], axis=f"labels = {[str(i) for i in range(16)]}")
    with pytest.raises(
        WeightsError, match=r"on three faces brightness@1\+\w+ gave \(1, 48\) for 3 faces of 16 classes"
    ):
        classifier_of(tmp_path, text)


@pytest.mark.parametrize(
    ("network", "fields", "message"),
    [
        (
            {"weights": (1, 2, 3, 4, 5), "out": ("n", 5)},
            {},
            "its output is 'y' float [n, 5], 5 values for each face, and the entry's axis has 2 labels",
        ),
        (
            {},
            {"axis": "first = 0, width = 1, last_open = false, count = 7"},
            "'y' float [n, 2], 2 values for each face, and the entry's axis has 7 bins (count = 7)",
        ),
        (
            {"shape": ("n", 3, "h", "w")},
            {},
            "its input is 'x' float [n, 3, h, w]: only the number of faces may be open",
        ),
        (
            {"shape": ("n", 3, 48, 48)},
            {},
            "its input is 'x' float [n, 3, 48, 48], the entry says [faces, 3, 32, 32] (size = 32, colour = 'rgb'",
        ),
        (
            {"shape": ("n", 1, 32, 32)},
            {},
            "its input is 'x' float [n, 1, 32, 32], the entry says [faces, 3, 32, 32]",
        ),
        ({"shape": ("n", 32, 32, 3)}, {}, "layout = 'nhwc' would fit"),
        ({"shape": (8, 3, 32, 32), "out": (8, 2)}, {}, "the number of faces must be open or 1, not 8"),
        ({"kind": TensorProto.INT64}, {}, "its input is 'x' int64 [n, 3, 32, 32], expected one of the types float"),
        ({"kind": TensorProto.UINT8}, {}, "for whole bytes mean must be 0 and scale 1"),
        ({"softmax": False}, {}, "gave values that are no probabilities: from -0.0195 to 0.0195, sums from 0 to 0"),
        ({"softmax": False}, {}, "(should activation be softmax?)"),
        ({}, {"activation": "softmax"}, "on three faces it gave probabilities itself: activation must be none"),
        ({}, {"activation": "sigmoid"}, "sigmoid makes a distribution of a single value only"),
        ({}, {"more": 'output = "z"'}, "it has no output 'z'; there are 'y' float [n, 2]"),
    ],
)
def test_a_misfit_is_named_with_file_entry_and_shapes(load, tmp_path, network, fields, message):
    with pytest.raises(WeightsError, match=re.escape(message)) as raised:
        load(network, **fields)
    assert str(raised.value).startswith(
        f"{tmp_path / 'mine.toml'}: network 'brightness': brightness.onnx does not fit: "
    )


def test_all_that_does_not_fit_is_told_at_once(load):
    with pytest.raises(WeightsError) as raised:
        load({"shape": (4, 3, 48, 48), "out": (4, 2)}, axis='labels = ["a", "b", "c"]')
    assert str(raised.value).count(";") == 2


def test_a_file_that_is_no_network_is_named(tmp_path):
    (tmp_path / "brightness.onnx").write_bytes(b"no network")
    with pytest.raises(WeightsError, match=r"mine\.toml: network 'brightness': brightness: ONNX Runtime cannot load"):
        classifier_of(tmp_path, entry(sha256(b"no network").hexdigest()))


def test_other_weights_than_the_entrys_are_refused(tmp_path):
    text = entry(brightness(tmp_path / "brightness.onnx"))
    with (tmp_path / "brightness.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(WeightsError, match=r"brightness\.onnx are altered: expected SHA-256"):
        classifier_of(tmp_path, text)


def test_weights_in_a_second_file_are_refused(tmp_path):
    path = tmp_path / "brightness.onnx"
    brightness(path)
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="brightness.data", size_threshold=0)
    assert (tmp_path / "brightness.data").stat().st_size > 0
    with pytest.raises(WeightsError, match=r"network 'brightness': brightness has weights in a second file: save it"):
        classifier_of(tmp_path, entry(sha256(path.read_bytes()).hexdigest()))
