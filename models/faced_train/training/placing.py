"""Where the server would cut training faces out: boxes and landmarks by its own detector, kept on disk."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faced_models.bundle import Models
from faced_proto.types import RgbImage
from faced_train.errors import DataError
from faced_train.face_search import find_face
from faced_train.faces import Broken, FaceSet
from faced_train.framing import framed
from faced_train.rows_file import RowsFile

_AT_ONCE = 64
_COLUMNS = 15
_KIND = "shares"
"""What the rows hold: files of another kind have other names."""


@dataclass(frozen=True, slots=True)
class Placements:
    """Of n faces, as shares of the width and height of their pictures: `boxes` float32 [n, 4] (left, top, right,
    bottom), `landmarks` float32 [n, 5, 2] (x, y). NaN where the detector found none.
    """

    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]

    @property
    def found(self) -> NDArray[np.bool_]:
        """[n]: whether the detector found the face."""
        return np.isfinite(self.boxes[:, 0])

    def take(self, rows: NDArray[np.intp]) -> Placements:
        """Those of some faces."""
        return Placements(self.boxes[rows], self.landmarks[rows])


def place(
    faces: FaceSet, models: Models, keep: Path, progress: Callable[[int], None] = lambda _done: None
) -> Placements:
    """Every face, enlarged and padded as `faced eval` does it; goes on where an earlier run was cut off.

    `keep` is the folder where the answers lie, by detector and faces.

    Raises:
        DataError: a picture cannot be read.
    """
    keep.mkdir(parents=True, exist_ok=True)
    keys = "\n".join([_KIND, models.detector.info.model, *(truth.key for truth in faces.truths)])
    with RowsFile(keep / f"{hashlib.sha256(keys.encode()).hexdigest()[:16]}.placed", _COLUMNS) as rows:
        done = len(rows)
        progress(done)
        pictures = faces.pictures(done) if done < len(faces) else iter(())
        while chunk := list(itertools.islice(pictures, _AT_ONCE)):
            rows.write(done, np.stack([_row(picture, models) for picture in chunk]))
            done += len(chunk)
            progress(done)
        values = rows.read()
    return Placements(values[:, 1:5], values[:, 5:].reshape(-1, 5, 2))


def _row(picture: RgbImage | Broken, models: Models) -> NDArray[np.float32]:
    if isinstance(picture, Broken):
        raise DataError(picture.message)
    row = np.full(_COLUMNS, np.nan, np.float32)
    row[0] = 0
    frame = framed(picture)
    box = find_face(models.detector, frame)
    if box is None:
        return row
    points = models.aligner.landmarks(frame.image, [box])[0]
    corner = np.array((frame.crop.left, frame.crop.top))
    size = np.array((frame.crop.width, frame.crop.height))
    row[0] = 1
    row[1:5] = ((np.array(((box.left, box.top), (box.right, box.bottom))) - corner) / size).reshape(-1)
    row[5:] = ((points - corner) / size).reshape(-1)
    return row
