"""Which faces of a data set a network has learnt from, as far as its entry tells; pure."""

from __future__ import annotations

from faced_models.network_entry import NetworkEntry
from faced_train.faces import FaceSet
from faced_train.split import is_held_out


def learnt_rows(faces: FaceSet, entry: NetworkEntry) -> tuple[bool, ...]:
    """For each face whether it is of a part that the network was trained on, and was not held out."""
    share = 0.0 if entry.trained is None else entry.trained.held_out
    return tuple(
        name in entry.trained_on and not is_held_out(truth.key, share)
        for name, truth in zip(faces.part_names, faces.truths, strict=True)
    )


def unseen_rows(faces: FaceSet, entry: NetworkEntry) -> list[int]:
    """Indices of faces of other parts; where there are none, of those that were held out."""
    others = [i for i, name in enumerate(faces.part_names) if name not in entry.trained_on]
    return others or [i for i, learnt in enumerate(learnt_rows(faces, entry)) if not learnt]
