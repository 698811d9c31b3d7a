import io
import json
from collections.abc import Callable

import h5py
import numpy as np
import onnxruntime as ort
import pytest

from faced_models.convert.carriers import find_wheel, read_source
from faced_models.convert.keras_file import read_keras
from faced_models.convert.keras_graph import keras_graph
from faced_models.errors import WeightsError
from faced_models.manifest import load_manifest
from faced_models.store import verified_path

EMOTION = load_manifest().network("mini-xception")


def windows(image: np.ndarray, size: list[int], strides: list[int], padding: str, fill: float):
    """Each position of a window over [rows, columns, channels], after TensorFlow's definition of "same"."""
    if padding == "same":
        pads = []
        for length, reach, step in zip(image.shape, size, strides, strict=False):
            rest = length % step or step
            total = max(reach - rest, 0)
            pads.append((total // 2, total - total // 2))
        image = np.pad(image, (*pads, (0, 0)), constant_values=fill)
    for row in range(0, image.shape[0] - size[0] + 1, strides[0]):
        for column in range(0, image.shape[1] - size[1] + 1, strides[1]):
            yield image[row : row + size[0], column : column + size[1]]


def slide(image, size, config, fill, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    out = np.array([function(w) for w in windows(image, size, config["strides"], config["padding"], fill)])
    rows = image.shape[0]
    rows = (
        -(-rows // config["strides"][0])
        if config["padding"] == "same"
        else (rows - size[0]) // config["strides"][0] + 1
    )
    return out.reshape(rows, -1, out.shape[-1])


def activate(kind: str, x: np.ndarray) -> np.ndarray:
    if kind == "relu":
        return np.maximum(x, 0)
    if kind == "softmax":
        return np.exp(x - x.max()) / np.exp(x - x.max()).sum()
    assert kind == "linear"
    return x


def evaluate(data: bytes, image: np.ndarray) -> np.ndarray:
    """The network straight from its file, by the definitions of Keras' layers, in float64, one picture at a time."""
    with h5py.File(io.BytesIO(data)) as file:
        graph = json.loads(file.attrs["model_config"])["config"]
        values: dict[str, np.ndarray] = {}
        for layer in graph["layers"]:
            config, name = layer["config"], layer["name"]
            inputs = [values[source[0]] for node in layer["inbound_nodes"] for source in node]
            group = file["model_weights"][name]
            w = {str(p).split("/")[-1].rstrip("'"): np.float64(group[p]) for p in group.attrs["weight_names"]}
            match layer["class_name"]:
                case "InputLayer":
                    out = image.astype(np.float64)
                case "Conv2D":
                    k = w["kernel:0"]
                    out = slide(inputs[0], k.shape[:2], config, 0, lambda p, k=k: np.tensordot(p, k, 3))
                    out = out + w.get("bias:0", 0)
                case "SeparableConv2D":
                    k, mix = w["depthwise_kernel:0"][..., 0], w["pointwise_kernel:0"][0, 0]
                    out = slide(inputs[0], k.shape[:2], config, 0, lambda p, k=k: (p * k).sum((0, 1))) @ mix
                    out = out + w.get("bias:0", 0)
                case "BatchNormalization":
                    spread = np.sqrt(w["moving_variance:0"] + config["epsilon"])
                    out = (inputs[0] - w["moving_mean:0"]) / spread * w["gamma:0"] + w["beta:0"]
                case "MaxPooling2D":
                    out = slide(inputs[0], config["pool_size"], config, -np.inf, lambda p: p.max((0, 1)))
                case "Add":
                    out = inputs[0] + inputs[1]
                case "GlobalAveragePooling2D":
                    out = inputs[0].mean((0, 1))
                case "Activation":
                    out = inputs[0]
                case unknown:
                    raise AssertionError(unknown)
            values[name] = activate(config.get("activation", "linear"), out)
        return values[graph["output_layers"][0][0]]


def run(model: bytes, images: np.ndarray) -> np.ndarray:
    return ort.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"images": images})[0]


def keras_file(layers: list[tuple[str, str, dict[str, object], list[str], dict[str, np.ndarray]]], **config) -> bytes:
    """A Keras 2 model file; each layer is kind, name, config, inputs, weights."""
    described = [
        {
            "class_name": kind,
            "name": name,
            "config": c,
            "inbound_nodes": [[[s, 0, 0, {}] for s in inputs]] if inputs else [],
        }
        for kind, name, c, inputs, _ in layers
    ]
    graph = {"layers": described, "input_layers": [["in", 0, 0]], "output_layers": [[layers[-1][1], 0, 0]], **config}
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Model", "config": graph})
        for _, name, _, _, weights in layers:
            group = file.create_group(f"model_weights/{name}")
            group.attrs["weight_names"] = [f"{name}/{key}:0".encode() for key in weights]
            for key, value in weights.items():
                group[f"{name}/{key}:0"] = value.astype(np.float32)
    return out.getvalue()


def window(padding: str, strides: int, **more: object) -> dict[str, object]:
    return {
        "padding": padding,
        "strides": [strides, strides],
        "data_format": "channels_last",
        "dilation_rate": [1, 1],
        "activation": "linear",
        **more,
    }


def small_model(rows: int, columns: int) -> bytes:
    """Each kind of layer, "same" with odd and even rests, biases, norms and activations inside layers."""
    r = np.random.default_rng(rows * columns)
    norm = {
        "gamma": r.normal(1, 0.3, 6),
        "beta": r.normal(0, 0.3, 6),
        "moving_mean": r.normal(0, 0.3, 6),
        "moving_variance": r.uniform(0.2, 2, 6),
    }
    bn = {"epsilon": 0.001, "scale": True, "center": True}
    separable = {"depthwise_kernel": r.normal(0, 0.4, (3, 3, 4, 1)), "pointwise_kernel": r.normal(0, 0.4, (1, 1, 4, 6))}
    first = {"kernel": r.normal(0, 0.4, (3, 5, 2, 4)), "bias": r.normal(0, 1, 4)}
    beside = {"kernel": r.normal(0, 0.4, (1, 1, 4, 6)), "bias": r.normal(0, 1, 6)}
    return keras_file(
        [
            ("InputLayer", "in", {"batch_input_shape": [None, rows, columns, 2]}, [], {}),
            ("Conv2D", "c", window("same", 2, activation="relu"), ["in"], first),
            ("SeparableConv2D", "s", window("same", 1, depth_multiplier=1), ["c"], separable),
            ("BatchNormalization", "sn", bn, ["s"], norm),
            ("MaxPooling2D", "p", window("same", 2, pool_size=[3, 3]), ["sn"], {}),
            ("Conv2D", "d", window("same", 2), ["c"], beside),
            ("BatchNormalization", "dn", bn, ["d"], norm),
            ("Add", "a", {}, ["p", "dn"], {}),
            ("Conv2D", "v", window("valid", 1), ["a"], {"kernel": r.normal(0, 0.4, (2, 2, 6, 5))}),
            ("GlobalAveragePooling2D", "g", {"data_format": "channels_last"}, ["v"], {}),
            ("Activation", "out", {"activation": "softmax"}, ["g"], {}),
        ]
    )


@pytest.mark.parametrize(("rows", "columns"), [(16, 16), (15, 17), (18, 13), (9, 22)])
def test_a_converted_model_is_the_keras_model(rows, columns):
    data = small_model(rows, columns)
    images = np.random.default_rng(1).normal(0, 1, (3, rows, columns, 2)).astype(np.float32)
    found = run(keras_graph(read_keras(data, "small.h5"), "small"), images.transpose(0, 3, 1, 2))
    np.testing.assert_allclose(found, [evaluate(data, image) for image in images], atol=1e-5)


def test_the_emotion_network_is_the_keras_network(carriers, astronaut):
    data = read_source(EMOTION.source, find_wheel(EMOTION.source, carriers))
    face = astronaut[60:188:2, 160:288:2].mean(axis=2, keepdims=True) / 127.5 - 1
    noise = np.random.default_rng(0).uniform(-1, 1, (64, 64, 1))
    images = np.stack((face, noise)).astype(np.float32)
    found = run(verified_path(EMOTION).read_bytes(), images.transpose(0, 3, 1, 2))
    np.testing.assert_allclose(found, [evaluate(data, image) for image in images], atol=1e-5)


def classify(greys: np.ndarray) -> np.ndarray:
    """uint8 [n, rows, columns] -> probabilities, resized bilinearly."""
    import cv2

    planes = np.stack([cv2.resize(grey, (64, 64), interpolation=cv2.INTER_LINEAR) for grey in greys])
    scaled = (planes.astype(np.float32) - np.float32(EMOTION.input.mean[0])) * np.float32(EMOTION.input.scale)
    return run(verified_path(EMOTION).read_bytes(), scaled[:, None])


def test_the_smiling_astronaut_is_happy(astronaut):
    grey = np.rint(astronaut[40:200, 160:290] @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    probabilities = dict(zip(EMOTION.axis.labels, classify(grey[None])[0], strict=True))
    assert probabilities["happy"] > 0.95


@pytest.mark.data
def test_the_emotion_network_is_right_on_65_percent_of_fer2013(data_dir):
    import csv
    import gzip

    with gzip.open(data_dir / "fer2013" / "fer2013.csv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["Usage"] == "PublicTest"]
    pictures = np.array([row["pixels"].split() for row in rows], np.uint8).reshape(-1, 48, 48)
    truth = np.array([int(row["emotion"]) for row in rows])
    accuracy = (classify(pictures).argmax(axis=1) == truth).mean()
    assert len(rows) == 3589
    assert accuracy == pytest.approx(0.652, abs=0.003)


def one_layer(kind: str, config: dict[str, object], **weights: np.ndarray) -> bytes:
    return keras_file(
        [("InputLayer", "in", {"batch_input_shape": [None, 8, 8, 1]}, [], {}), (kind, "it", config, ["in"], weights)]
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (one_layer("LSTM", {}), "'it' is a LSTM"),
        (one_layer("Activation", {"activation": "swish"}), "activation is 'swish'"),
        (one_layer("Activation", {"activation": "softmax"}), "softmax over an image"),
        (one_layer("BatchNormalization", {"epsilon": 0.1}), "cannot be folded"),
        (one_layer("Conv2D", window("same", 1)), "has no kernel"),
        (one_layer("Conv2D", window("full", 1), kernel=np.ones((3, 3, 1, 1))), "padding is 'full'"),
        (one_layer("Conv2D", {**window("same", 1), "strides": 2}, kernel=np.ones((3, 3, 1, 1))), "strides is 2"),
        (one_layer("Conv2D", {**window("same", 1), "dilation_rate": [2, 2]}), "dilation_rate"),
        (one_layer("Add", {}), "Add 'it' of 1 layers"),
    ],
)
def test_a_layer_that_is_not_known_is_refused_by_name(data, message):
    with pytest.raises(WeightsError, match=message):
        keras_graph(read_keras(data, "odd.h5"), "odd")


def test_a_file_that_is_no_keras_model_is_refused():
    with pytest.raises(WeightsError, match=r"odd\.h5: no Keras model"):
        read_keras(b"not HDF5", "odd.h5")
    empty = io.BytesIO()
    with h5py.File(empty, "w"):
        pass
    with pytest.raises(WeightsError, match="model_config"):
        read_keras(empty.getvalue(), "odd.h5")


def test_a_model_of_two_outputs_is_refused():
    layers = [("InputLayer", "in", {"batch_input_shape": [None, 8, 8, 1]}, [], {})]
    with pytest.raises(WeightsError, match="one input and one output"):
        read_keras(keras_file(layers, output_layers=[["in", 0, 0], ["in", 0, 0]]), "odd.h5")
