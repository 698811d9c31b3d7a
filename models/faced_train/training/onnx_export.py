"""A trained network as an ONNX file."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from faced_models.convert.onnx_graph import without_denormals
from faced_train.training.checkpoint import Checkpoint
from faced_train.training.crops import normalised
from faced_train.training.networks import build_network
from faced_train.training.recipe import Recipe

_OPSET = 17
_DENORMAL = 1e-30


def trained_network(recipe: Recipe, weights: Mapping[str, Tensor]) -> nn.Module:
    """The network of a recipe with these weights, ready to be asked."""
    network = build_network(recipe)
    network.load_state_dict(dict(weights))
    return network.eval()


def onnx_bytes(recipe: Recipe, checkpoint: Checkpoint) -> bytes:
    """float32 `faces` [n, channels, side, side], normalised, to `logits` [n, classes]; batch norm folded in."""
    plan = recipe.network
    file = io.BytesIO()
    with warnings.catch_warnings():
        # This exporter needs no further package; the one that replaces it does.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*legacy TorchScript.*")
        # Sides are the recipe's, always: what is compared while it is traced is the same in every picture.
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
        torch.onnx.export(
            trained_network(recipe, checkpoint.best),
            (torch.zeros(2, plan.channels, plan.side, plan.side),),
            file,
            input_names=["faces"],
            output_names=["logits"],
            dynamic_axes={"faces": {0: "n"}, "logits": {0: "n"}},
            opset_version=_OPSET,
            dynamo=False,
        )
    return without_denormals(file.getvalue(), _DENORMAL)[0]


@torch.no_grad()
def torch_probabilities(recipe: Recipe, checkpoint: Checkpoint, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """[n, classes] of uint8 [n, channels, side, side], each averaged with its mirror image."""
    network = trained_network(recipe, checkpoint.best)
    faces = normalised(torch.from_numpy(crops).float() / 255, recipe.network)
    both = (network(faces).softmax(1) + network(faces.flip(3)).softmax(1)) / 2
    return np.asarray(both.numpy(), np.float32)
