"""A folder for each class, as FER2013 is often handed out; a `train` and a `test` above them, or neither."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from faced_train.datasets.fer2013_csv import EMOTIONS
from faced_train.datasets.picture_files import foreign, list_pictures
from faced_train.errors import DataError
from faced_train.faces import OWN_FOLDER, FaceSet, Truth
from faced_train.scores.age import ADIENCE_GROUPS

_EMOTIONS = {emotion: emotion for emotion in EMOTIONS} | {
    "anger": "angry",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}
_GENDERS = {
    **dict.fromkeys(("female", "females", "woman", "women", "f"), "female"),
    **dict.fromkeys(("male", "males", "man", "men", "m"), "male"),
}
_PARTS = {"train": "Training", "training": "Training", "test": "Test", "validation": "Test", "val": "Test"}
_OLDEST = 120
_CLASSES: Mapping[str, str] = {
    "emotion": f"no emotion; there are {', '.join(EMOTIONS)}",
    "gender": "no gender; there are female, male",
    "age": f"neither an age in years nor one of {', '.join(ADIENCE_GROUPS)}",
}


def is_class_folders(path: Path, subject: str) -> bool:
    """Whether a folder, or a `train` in it, has a folder that is named as a class of the subject."""
    if not path.is_dir():
        return False
    tops = [path, *(one for one in path.iterdir() if one.is_dir() and one.name.lower() in _PARTS)]
    return any(_labelled(one.name, subject) is not None for top in tops for one in top.iterdir() if one.is_dir())


def read_class_folders(path: Path, subject: str = "emotion") -> FaceSet:
    """All pictures; their folder's name is their label, in any case: of ages whole years, or one of Adience's groups.

    Raises:
        DataError: a picture lies in a folder that is no class; names it.
    """
    store, others = list_pictures(path)
    truths = tuple(_truth(path, name, subject) for name in store.names)
    return FaceSet(path.resolve().name, OWN_FOLDER, truths, tuple(range(len(truths))), store, foreign(others))


def _truth(path: Path, name: str, subject: str) -> Truth:
    folders = PurePosixPath(name).parent.parts
    label = _labelled(folders[-1], subject) if folders else None
    if label is None:
        raise DataError(f"{path / name}: its folder is {_CLASSES[subject]}")
    part = _PARTS.get(folders[-2].lower(), "") if len(folders) > 1 else ""
    where = str(path / name)
    if subject == "emotion":
        return Truth(name, where, part, emotion=str(label))
    if subject == "gender":
        return Truth(name, where, part, gender=str(label))
    if isinstance(label, int):
        return Truth(name, where, part, age=label)
    return Truth(name, where, part, age_group=ADIENCE_GROUPS.index(label))


def _labelled(folder: str, subject: str) -> str | int | None:
    """What a folder's name says; None where it is no class."""
    name = folder.lower()
    if subject == "emotion":
        return _EMOTIONS.get(name)
    if subject == "gender":
        return _GENDERS.get(name)
    if name.isascii() and name.isdigit():
        return int(name) if int(name) <= _OLDEST else None
    return name if name in ADIENCE_GROUPS else None
