"""Whether a network is what its entry says: shapes before it runs, values after it did."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faced_models.adapted_session import INPUT_TYPES
from faced_models.classifier import Classifier
from faced_models.errors import ModelError
from faced_models.network_entry import Activation, Layout, NetworkEntry, NetworkInput
from faced_models.session import Signature, Tensor
from faced_proto.types import Categories

_OUTPUT_TYPES = ("float", "float16", "double")


def misfits(entry: NetworkEntry, signature: Signature) -> tuple[str, ...]:
    """What of the attribute network does not fit its entry, a sentence each, with the network's own shapes."""
    return (*_input_misfits(entry, signature), *_output_misfits(entry, signature))


def trial_faces(side: int) -> NDArray[np.uint8]:
    """Three made-up crops [3, side, side, 3]: grey, a ramp, and noise."""
    ramp = np.broadcast_to(np.linspace(0, 255, side, dtype=np.uint8)[None, :, None], (side, side, 3))
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return np.stack((np.full_like(ramp, 128), ramp, noise))


def run_misfits(entry: NetworkEntry, classifier: Classifier) -> tuple[str, ...]:
    """What a run on the trial faces shows to be wrong."""
    try:
        classifier.classify(trial_faces(classifier.recipe.size))
    except ModelError as error:
        way_out = " (should activation be softmax?)" if entry.activation is Activation.NONE else ""
        return (f"on three faces {error}{way_out}",)
    return ()


def value_misfits(entry: NetworkEntry, values: NDArray[np.float32]) -> tuple[str, ...]:
    """What the network's own values for the trial faces, before the activation, show to be wrong."""
    # A softmax of probabilities is a distribution too, only much too flat: nothing else would tell.
    probable = bool((values >= 0).all() and (np.abs(values.sum(axis=1) - 1) < 1e-4).all())
    if entry.activation is Activation.SOFTMAX and probable and values.shape[1] > 1:
        return ("on three faces it gave probabilities itself: activation must be none, not softmax",)
    return ()


def _input_misfits(entry: NetworkEntry, signature: Signature) -> list[str]:
    wanted = entry.input
    if wanted is None:
        return []
    if len(signature.inputs) != 1:
        listed = ", ".join(map(str, signature.inputs))
        return [f"it has {len(signature.inputs)} inputs ({listed}), expected one, the face"]
    (given,) = signature.inputs
    found = []
    if given.dtype not in INPUT_TYPES:
        found.append(f"its input is {given}, expected one of the types {', '.join(INPUT_TYPES)}")
    elif given.dtype == "uint8" and (any(wanted.mean) or set(wanted.scale) != {1.0}):
        found.append(f"its input is {given}: for whole bytes mean must be 0 and scale 1, the network normalises itself")
    size, channels = wanted.size, wanted.colour.channels
    expected = wanted.layout.shape(size, channels)
    shape = ", ".join(map(str, expected))
    said = f"[faces, {shape}] (size = {size}, colour = {wanted.colour.value!r}, layout = {wanted.layout.value!r})"
    if len(given.shape) != 4:
        found.append(f"its input is {given}, expected {said}")
        return found
    first, *rest = given.shape
    if any(not isinstance(length, int) for length in rest):
        found.append(
            f"its input is {given}: only the number of faces may be open; give the other three fixed sizes, {said}"
        )
    elif tuple(rest) != expected:
        found.append(f"its input is {given}, the entry says {said}{_way_out(wanted, tuple(rest))}")
    if isinstance(first, int) and first != 1:
        found.append(f"its input is {given}: the number of faces must be open or 1, not {first}")
    return found


def _way_out(wanted: NetworkInput, given: tuple[int | str | None, ...]) -> str:
    other = Layout.NHWC if wanted.layout is Layout.NCHW else Layout.NCHW
    if given == other.shape(wanted.size, wanted.colour.channels):
        return f": layout = {other.value!r} would fit"
    return ""


def _output_misfits(entry: NetworkEntry, signature: Signature) -> list[str]:
    if entry.axis is None:
        return []
    listed = ", ".join(map(str, signature.outputs))
    named = [tensor for tensor in signature.outputs if entry.output in (None, tensor.name)]
    if not named:
        return [f"it has no output {entry.output!r}; there are {listed}"]
    given = named[0]
    found = []
    if given.dtype not in _OUTPUT_TYPES:
        found.append(f"its output is {given}, expected one of the types {', '.join(_OUTPUT_TYPES)}")
    width = _width(given)
    classes = len(entry.axis)
    what = f"{classes} labels" if isinstance(entry.axis, Categories) else f"{classes} bins (count = {classes})"
    if width is not None and width != classes and not (width == 1 and classes == 2):
        others = "" if len(signature.outputs) == 1 else f"; all outputs: {listed}"
        found.append(f"its output is {given}, {width} values for each face, and the entry's axis has {what}{others}")
    if entry.activation is Activation.SIGMOID and width not in (None, 1):
        found.append(
            f"its output is {given}: sigmoid makes a distribution of a single value only, "
            "the probability of the second of two labels"
        )
    return found


def _width(tensor: Tensor) -> int | None:
    """Values for each face, where the file says so."""
    width = 1
    for length in tensor.shape[1:]:
        if not isinstance(length, int):
            return None
        width *= length
    return width if tensor.shape else None
