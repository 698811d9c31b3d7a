"""Adience: folds of faces with age groups and genders (Eidinger, Enbar and Hassner, TIFS 2014)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from faced_train.datasets.picture_files import PictureFiles
from faced_train.errors import DataError
from faced_train.faces import FaceSet, Truth

_GROUPS = {"(0, 2)": 0, "(4, 6)": 1, "(8, 12)": 2, "(8, 13)": 2, "(15, 20)": 3, "(25, 32)": 4, "(38, 43)": 5}
_GROUPS |= {"(48, 53)": 6, "(60, 100)": 7}
_GENDERS = {"m": "male", "f": "female"}
_COLUMNS = ("user_id", "original_image", "face_id", "age", "gender")
_LAYOUTS = (("aligned", "landmark_aligned_face"), ("faces", "coarse_tilt_aligned_face"))


def is_adience(path: Path) -> bool:
    """Whether a folder holds Adience's fold files."""
    return path.is_dir() and any(path.glob("fold_*_data.txt"))


def read_adience(path: Path) -> FaceSet:
    """All faces of all folds, from `aligned/` or `faces/` beside them.

    Faces whose age is none of the eight groups keep no age (a few hundred have single years or odd ranges).

    Raises:
        DataError: a fold file is wrong, names its line; or there are no pictures.
    """
    folder, prefix = next(((path / sub, prefix) for sub, prefix in _LAYOUTS if (path / sub).is_dir()), (None, ""))
    if folder is None:
        raise DataError(f"{path}: has neither a folder 'aligned' nor 'faces' beside its folds")
    truths, names = [], []
    for fold in sorted(path.glob("fold_*_data.txt")):
        for line, fields in _rows(fold):
            name = f"{fields['user_id']}/{prefix}.{fields['face_id']}.{fields['original_image']}"
            where = f"{fold.name}: line {line}"
            group, gender = _GROUPS.get(fields["age"]), _GENDERS.get(fields["gender"])
            truths.append(Truth(name, where, fold.name.split("_data")[0], age_group=group, gender=gender))
            names.append(name)
    return FaceSet(path.name, "Adience", tuple(truths), tuple(range(len(truths))), PictureFiles(folder, tuple(names)))


def _rows(fold: Path) -> list[tuple[int, Mapping[str, str]]]:
    try:
        with fold.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t")
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or [])]
            if missing:
                raise DataError(f"{fold}: line 1: no column {missing[0]!r}")
            rows: list[tuple[int, Mapping[str, str]]] = []
            for fields in reader:
                if any(fields[name] is None for name in _COLUMNS):
                    raise DataError(f"{fold}: line {reader.line_num}: fields are missing")
                rows.append((reader.line_num, fields))
            return rows
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{fold}: cannot be read: {error}") from error
