"""`faced models check`: what of an operator's networks does not fit, in words and with their own shapes."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

from faced_models.bundle import load_detector
from faced_models.classifier_loader import load_classifier
from faced_models.errors import WeightsError
from faced_models.manifest import MANIFEST, load_manifest
from faced_models.network_entry import NetworkEntry
from faced_models.ort_session import OrtSession
from faced_models.session import Signature
from faced_models.store import verified_path
from faced_proto.types import ModelRole

_DONE, _MISFIT = 0, 3


def check_file(path: Path) -> int:
    """Check the networks that a TOML file adds, or describe an ONNX file; gives the exit code: 0 fits, 3 does not."""
    try:
        return _describe(path) if path.suffix.lower() == ".onnx" else _check_entries(path)
    except WeightsError as error:
        sys.stderr.write(f"faced models check: {error}\n")
        return _MISFIT


def _check_entries(path: Path) -> int:
    manifest = load_manifest(MANIFEST, path)
    replaced = {entry.attribute: entry.name for entry in load_manifest().networks if entry.attribute}
    code = _DONE
    for entry in manifest.networks:
        if entry.manifest != str(path):
            continue
        try:
            _try(entry)
        except WeightsError as error:
            sys.stdout.write(f"FAILED  {error}\n")
            code = _MISFIT
        else:
            sys.stdout.write(f"ok      {_served(entry, replaced.get(entry.attribute))}\n")
    return code


def _try(entry: NetworkEntry) -> None:
    if entry.role is ModelRole.ATTRIBUTE:
        load_classifier(entry, device="cpu", threads=1)
    elif entry.role is ModelRole.DETECTOR:
        load_detector(entry, device="cpu")
    else:
        verified_path(entry)


def _served(entry: NetworkEntry, other: str | None) -> str:
    if entry.beside:
        return f"{entry.model_id}: finds {', '.join(window.label for window in entry.windows)} beside faces"
    if entry.axis is None:
        return f"{entry.model_id}: the {entry.role.value} that is used"
    instead = "" if other in (None, entry.name) else f", in place of {other}"
    return f"{entry.model_id}: attribute {entry.attribute}, {len(entry.axis)} classes{instead}"


def _describe(path: Path) -> int:
    if not path.is_file():
        raise WeightsError(f"{path} is no file")
    signature = OrtSession(path, device="cpu", threads=1).signature
    for kind, tensors in (("input", signature.inputs), ("output", signature.outputs)):
        for tensor in tensors:
            sys.stdout.write(f"# {kind:6}  {tensor}\n")
    sys.stdout.write(_draft(path, signature))
    return _DONE


def _draft(path: Path, signature: Signature) -> str:
    """An entry to complete, with what the file itself tells."""
    given = next((tensor.shape for tensor in signature.inputs if len(tensor.shape) == 4), (None,) * 4)
    planar = given[3] not in (1, 3)
    channels, height = (given[1], given[2]) if planar else (given[3], given[1])
    size = height if isinstance(height, int) else 64
    widths = [length for tensor in signature.outputs[:1] for length in tensor.shape[1:] if isinstance(length, int)]
    width = max(widths, default=2)
    labels = [f"label {i}" for i in range(max(2, width))]
    mean, colour = ([127.5], "grey") if channels == 1 else ([127.5] * 3, "rgb")
    layout = "" if planar else ', layout = "nhwc"'
    name = re.sub(r"[^a-z0-9]+", "_", path.stem.lower()).strip("_")[:32]
    name = name if name[:1].isalpha() else f"net_{name}"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return f"""
# A draft: file, sha256 and sizes are the network's own, everything else is a guess that only you can put right.
[network.{name}]
attribute = "{name}"
file = {json.dumps(path.name)}
sha256 = "{digest}"
input = {{ size = {size}, colour = "{colour}", mean = {mean}, scale = {1 / 127.5:.10f}{layout} }}
crop = {{ kind = "chip", size = {size}, padding = 0.2 }}
axis = {{ labels = {json.dumps(labels)} }}
activation = "{"sigmoid" if width == 1 else "softmax"}"
"""
