"""The only importer of h5py: layers and weights of a Keras 2 model file (HDF5, functional model)."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass

import h5py
import numpy as np
from numpy.typing import NDArray

from faced_models.errors import WeightsError


@dataclass(frozen=True, slots=True)
class KerasLayer:
    """One layer as Keras saved it; `settings` is its config, `inputs` names the layers that feed it.

    `weights` are float32 in Keras' own layout, by the last part of their name ("kernel", "gamma", ...).
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    settings: Mapping[str, object]
    weights: Mapping[str, NDArray[np.float32]]

    def whole(self, key: str) -> int:
        """A setting that is one integer.

        Raises:
            WeightsError: it is not.
        """
        value = self.settings.get(key)
        if not isinstance(value, int):
            raise WeightsError(f"{self.kind} {self.name!r}: {key} is {value!r}, expected an integer")
        return value

    def real(self, key: str) -> float:
        """A setting that is one number.

        Raises:
            WeightsError: it is not.
        """
        value = self.settings.get(key)
        if not isinstance(value, int | float):
            raise WeightsError(f"{self.kind} {self.name!r}: {key} is {value!r}, expected a number")
        return float(value)

    def pair(self, key: str) -> tuple[int, int]:
        """A setting of two integers, rows first.

        Raises:
            WeightsError: it is not.
        """
        value = self.settings.get(key)
        if not isinstance(value, list) or len(value) != 2 or not all(isinstance(v, int) for v in value):
            raise WeightsError(f"{self.kind} {self.name!r}: {key} is {value!r}, expected two integers")
        return value[0], value[1]

    def choice(self, key: str, *known: object) -> object:
        """A setting that must be one of `known`.

        Raises:
            WeightsError: it is none of them.
        """
        value = self.settings.get(key)
        if value not in known:
            raise WeightsError(f"{self.kind} {self.name!r}: {key} is {value!r}, expected one of {known}")
        return value

    def weight(self, key: str) -> NDArray[np.float32]:
        """One of its weights.

        Raises:
            WeightsError: the file has none of that name.
        """
        if key not in self.weights:
            raise WeightsError(f"{self.kind} {self.name!r} has no {key}, only {sorted(self.weights)}")
        return self.weights[key]


@dataclass(frozen=True, slots=True)
class KerasModel:
    """A model of one input and one output; `layers` in the file's order, each after those that feed it."""

    layers: tuple[KerasLayer, ...]
    output: str


def read_keras(data: bytes, name: str) -> KerasModel:
    """Read a model file of Keras 2.

    Raises:
        WeightsError: it is no HDF5 file, or holds no functional model with one input and one output.
    """
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            config = json.loads(file.attrs["model_config"])
            if config["class_name"] not in ("Model", "Functional"):
                raise WeightsError(f"{name}: a Keras {config['class_name']}, expected a functional model")
            graph = config["config"]
            if len(graph["input_layers"]) != 1 or len(graph["output_layers"]) != 1:
                raise WeightsError(f"{name}: expected one input and one output")
            weights = file["model_weights"]
            layers = tuple(
                KerasLayer(
                    kind=layer["class_name"],
                    name=layer["name"],
                    inputs=_inputs(layer["inbound_nodes"], layer["name"]),
                    settings=layer["config"],
                    weights=_weights(weights[layer["name"]]),
                )
                for layer in graph["layers"]
            )
            return KerasModel(layers, graph["output_layers"][0][0])
    except (OSError, KeyError, ValueError) as error:
        raise WeightsError(f"{name}: no Keras model: {error}") from error


def _inputs(nodes: list[list[list[object]]], layer: str) -> tuple[str, ...]:
    if len(nodes) > 1:
        raise WeightsError(f"layer {layer!r} is used {len(nodes)} times: shared layers are not supported")
    return tuple(str(source[0]) for node in nodes for source in node)


def _weights(group: h5py.Group) -> dict[str, NDArray[np.float32]]:
    weights = {}
    for path in group.attrs["weight_names"]:
        text = path.decode("ascii") if isinstance(path, bytes) else str(path)
        # "conv2d_1/kernel:0" -> "kernel"
        weights[text.rsplit("/", 1)[-1].split(":", 1)[0]] = np.asarray(group[text], dtype=np.float32)
    return weights
