"""What a run has learnt from, which its network carries with it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from faced_train.errors import DataError
from faced_train.faces import FaceSet, last_fold

_NAME = "data.json"


@dataclass(frozen=True, slots=True)
class DataNote:
    """For the entry: `trained_on` are parts that it must not be judged by, but for the share `held_out`."""

    description: str
    trained_on: tuple[str, ...]
    held_out: float

    def after(self, begun_with: str, before: DataNote | None) -> DataNote:
        """Of a run that has begun with weights that learnt from other faces before, where these are known."""
        if before is None:
            return DataNote(f"{self.description}; begun with {begun_with}", self.trained_on, self.held_out)
        description = f"{self.description}; begun with {begun_with} ({before.description})"
        trained_on = tuple(sorted({*self.trained_on, *before.trained_on}))
        # The faces of a smaller share are all in a larger one.
        return DataNote(description, trained_on, min(self.held_out, before.held_out))


def data_note(faces: FaceSet, held_out: float) -> DataNote:
    """Of the faces of a run, which holds this share of them out where there are no folds."""
    last = last_fold(faces.truths)
    names = zip(faces.part_names, faces.truths, strict=True)
    trained_on = sorted({name for name, truth in names if last is None or truth.part != last})
    parts = sorted({truth.part for truth in faces.truths if truth.part and not truth.in_fold})
    votes = " with FER+'s votes" if any(truth.votes for truth in faces.truths) else ""
    described = f"{' '.join([faces.collection, *parts])}{votes}, {len(faces)} faces"
    return DataNote(described, tuple(trained_on), held_out if last is None else 0.0)


def write_note(note: DataNote, run: Path) -> None:
    """Beside a run's checkpoint."""
    (run / _NAME).write_text(json.dumps(asdict(note)) + "\n", "utf-8")


def read_note(run: Path) -> DataNote | None:
    """The one of a run; None where it has none.

    Raises:
        DataError: it cannot be read.
    """
    path = run / _NAME
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text("utf-8"))
        trained_on = tuple(str(one) for one in content["trained_on"])
        return DataNote(str(content["description"]), trained_on, float(content.get("held_out", 0.0)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: is no note on data: {error}") from error
