"""A path to the data set that lies there, whichever format it is in."""

from __future__ import annotations

from pathlib import Path

from faced_train.datasets.adience import is_adience, read_adience
from faced_train.datasets.class_folders import is_class_folders, read_class_folders
from faced_train.datasets.fer2013_csv import read_fer2013_csv
from faced_train.datasets.ferplus_votes import with_votes
from faced_train.datasets.utkface import read_utkface
from faced_train.errors import DataError
from faced_train.faces import FaceSet


def open_faces(path: Path, subject: str, *, votes: Path | None = None, skip_bad: bool = False) -> FaceSet:
    """Labelled faces for "emotion" (FER2013: CSV or a folder per class) or "gender" and "age" (UTKFace, Adience, or a
    folder per class).

    Raises:
        DataError: nothing is there, or it is none of the formats; or as the format's reader.
    """
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder")
    if subject == "emotion":
        faces = read_class_folders(path) if path.is_dir() else read_fer2013_csv(path)
        return faces if votes is None else with_votes(faces, votes)
    if is_adience(path):
        return read_adience(path)
    if is_class_folders(path, subject):
        return read_class_folders(path, subject)
    return read_utkface(path, skip_bad=skip_bad)
