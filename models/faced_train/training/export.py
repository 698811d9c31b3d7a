"""A run to a network that a server takes: ONNX, an entry in a file of networks, checked against PyTorch."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from faced_models.atomic_file import write_atomically
from faced_models.classifier_loader import load_classifier
from faced_models.crop import CropRecipe
from faced_models.errors import ModelError
from faced_models.manifest import load_manifest
from faced_models.network_entry import NetworkEntry
from faced_train.errors import DataError
from faced_train.manifest_text import with_fields
from faced_train.training.checkpoint import Checkpoint, load
from faced_train.training.data_note import DataNote, read_note
from faced_train.training.onnx_export import onnx_bytes, torch_probabilities
from faced_train.training.recipe import Recipe, parse_recipe

_CLOSE = 1e-5
_TRIALS = 64


@dataclass(frozen=True, slots=True)
class Exported:
    """What was made: the entry as a server reads it, its file of networks, and how far from PyTorch it is."""

    entry: NetworkEntry
    models_file: Path
    difference: float


def export(run: Path, models_file: Path, crop: CropRecipe, *, name: str | None, licence: str | None) -> Exported:
    """Writes NAME.onnx beside `models_file` and its entry into it.

    Raises:
        DataError: there is no finished or unfinished run.
        ModelError: ONNX Runtime does not give what PyTorch gives, by more than 1e-5; nothing is left.
        WeightsError: the file of networks is wrong.
        OSError: nothing can be written.
    """
    checkpoint = load(run)
    if checkpoint is None:
        raise DataError(f"{run}: there is no checkpoint")
    recipe = parse_recipe(checkpoint.recipe, f"the recipe in {run}")
    name = name or recipe.name
    data = onnx_bytes(recipe, checkpoint)
    before = models_file.read_text("utf-8") if models_file.exists() else ""
    target = models_file.parent / f"{name}.onnx"
    after = with_fields(before, name, _fields(recipe, read_note(run), crop, target.name, data, licence))
    models_file.parent.mkdir(parents=True, exist_ok=True)
    earlier = target.read_bytes() if target.exists() else None
    try:
        write_atomically(target, data)
        write_atomically(models_file, after.encode())
        entry = load_manifest(models_file=models_file).network(name)
        difference = _difference(recipe, checkpoint, entry)
        if difference > _CLOSE:
            raise ModelError(f"{target}: gives other probabilities than PyTorch, by {difference:.2g}")
    except Exception:
        _undo(target, earlier)
        _undo(models_file, before.encode() if before else None)
        raise
    return Exported(entry, models_file, difference)


def _undo(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    else:
        write_atomically(path, content)


def _fields(
    recipe: Recipe, note: DataNote | None, crop: CropRecipe, file: str, data: bytes, licence: str | None
) -> dict[str, str]:
    network = recipe.network
    colour = "grey" if network.channels == 1 else "rgb"
    mean = ", ".join(repr(float(value)) for value in network.mean)
    fields = {
        "attribute": _text(recipe.attribute or recipe.subject),
        "file": _text(file),
        "sha256": _text(hashlib.sha256(data).hexdigest()),
        "licence": _text(licence or ("research only" if recipe.research_only else "unstated")),
        "input": f'{{ size = {network.side}, colour = "{colour}", mean = [{mean}], scale = {network.scale!r} }}',
        "crop": f'{{ kind = "{crop.kind.value}", size = {network.side}, padding = {crop.padding!r} }}',
        "oversample": _text("flip"),
        "axis": _axis(recipe),
        "activation": _text("softmax"),
    }
    if note is not None:
        digest = hashlib.sha256(recipe.text.encode()).hexdigest()
        fields["trained"] = (
            f"{{ recipe = {_text(recipe.name)}, recipe_sha256 = {_text(digest)}, data = {_text(note.description)}, "
            f"held_out = {note.held_out!r} }}"
        )
        fields["trained_on"] = f"[{', '.join(_text(one) for one in note.trained_on)}]"
    return fields


def _axis(recipe: Recipe) -> str:
    classes = recipe.target.classes
    if recipe.target.kind == "age":
        return f"{{ first = 0, width = 1, last_open = true, count = {len(classes)} }}"
    return f"{{ labels = [{', '.join(_text(one) for one in classes)}] }}"


def _text(value: str) -> str:
    """A TOML string; JSON's are."""
    return json.dumps(value, ensure_ascii=False)


def _difference(recipe: Recipe, checkpoint: Checkpoint, entry: NetworkEntry) -> float:
    """The largest one of any probability, on pictures of noise at all scales."""
    side, channels = recipe.network.side, recipe.network.channels
    crops = _trial_crops(side, channels)
    expected = torch_probabilities(recipe, checkpoint, crops)
    coloured = np.repeat(crops, 3, axis=1) if channels == 1 else crops
    classifier = load_classifier(entry.raw, device="cpu", threads=torch.get_num_threads())
    found = classifier.probabilities(np.ascontiguousarray(coloured.transpose(0, 2, 3, 1)))
    return float(np.abs(found - expected).max())


def _trial_crops(side: int, channels: int) -> NDArray[np.uint8]:
    random = torch.Generator().manual_seed(0)
    crops = torch.zeros(_TRIALS, channels, side, side)
    for coarse in (3, 6, 12, side):
        noise = torch.randn(_TRIALS, channels, coarse, coarse, generator=random)
        crops += torch.nn.functional.interpolate(noise, (side, side), mode="bilinear", align_corners=False)
    return np.asarray((crops * 40 + 128).clamp(0, 255).to(torch.uint8).numpy(), np.uint8)
