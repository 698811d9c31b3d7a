"""A folder for each emotion, as FER2013 is often handed out; a `train` and a `test` above them, or neither."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from faced_train.datasets.fer2013_csv import EMOTIONS
from faced_train.datasets.picture_files import foreign, list_pictures
from faced_train.errors import DataError
from faced_train.faces import FaceSet, Truth

_NAMES = {emotion: emotion for emotion in EMOTIONS} | {
    "anger": "angry",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}
_PARTS = {"train": "Training", "training": "Training", "test": "Test", "validation": "Test", "val": "Test"}


def read_class_folders(path: Path) -> FaceSet:
    """All pictures; their folder's name is their label, in any case.

    Raises:
        DataError: a picture lies in a folder that is no emotion; names it.
    """
    store, others = list_pictures(path)
    truths = tuple(_truth(path, name) for name in store.names)
    return FaceSet(path.name, "folder per class", truths, tuple(range(len(truths))), store, foreign(others))


def _truth(path: Path, name: str) -> Truth:
    folders = PurePosixPath(name).parent.parts
    label = _NAMES.get(folders[-1].lower()) if folders else None
    if label is None:
        raise DataError(f"{path / name}: its folder is no emotion; there are {', '.join(EMOTIONS)}")
    part = _PARTS.get(folders[-2].lower(), "") if len(folders) > 1 else ""
    return Truth(name, str(path / name), part, emotion=label)
