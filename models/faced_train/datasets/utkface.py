"""UTKFace: a folder or a tar of pictures named age_gender_race_date (Zhang, Song and Qi, CVPR 2017)."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from faced_train.datasets.picture_files import foreign, list_pictures
from faced_train.errors import DataError
from faced_train.faces import FaceSet, Truth

# A few names of the set as published lack the gender or the race, or have a space or no dot after the date.
_NAME = re.compile(r"(?P<age>\d+)_(?P<gender>\d*)_(?:(?P<race>\d+)_)?\d{8,}\D.*")
_GENDERS = ("male", "female")
_RACES = ("White", "Black", "Asian", "Indian", "Others")
_OLDEST = 120


def read_utkface(path: Path, *, skip_bad: bool) -> FaceSet:
    """All pictures; `skip_bad` leaves out those whose name is none.

    Raises:
        DataError: a name does not tell age, gender and race, or tells what cannot be; names the file.
    """
    store, others = list_pictures(path)
    truths, places, bad = [], [], []
    for place, name in enumerate(store.names):
        try:
            truths.append(_truth(path, name))
            places.append(place)
        except DataError as error:
            if not skip_bad:
                raise
            bad.append(str(error))
    if not truths:
        raise DataError(f"{path}: no picture is named age_gender_race_date")
    return FaceSet(path.name, "UTKFace", tuple(truths), tuple(places), store, (*foreign(others), *bad))


def _truth(path: Path, name: str) -> Truth:
    file = PurePosixPath(name).name
    match = _NAME.fullmatch(file)
    if match is None:
        raise DataError(f"{path}: {name}: expected a name of age_gender_race_date; --skip-bad leaves it out")
    for what, last in (("age", _OLDEST), ("gender", 1), ("race", len(_RACES) - 1)):
        if match[what] and int(match[what]) > last:
            raise DataError(f"{path}: {name}: {what} is {match[what]}, expected 0 to {last}; --skip-bad leaves it out")
    gender, race = match["gender"], match["race"]
    return Truth(
        key=file,
        where=f"{path}: {name}",
        age=int(match["age"]),
        gender=_GENDERS[int(gender)] if gender else None,
        race=_RACES[int(race)] if race else None,
    )
