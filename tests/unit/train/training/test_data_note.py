"""What a run says that it has learnt from, and which faces that makes known to its network."""

from dataclasses import replace

import pytest

from faced_models.manifest import load_manifest
from faced_models.network_entry import Trained
from faced_train.faces import OWN_FOLDER, FaceSet, Truth
from faced_train.learnt_rows import learnt_rows, unseen_rows
from faced_train.split import is_held_out

pytest.importorskip("torch")


def noted(kind, *parts, name="mine"):
    """Faces of these parts, and the entry of a network that has learnt from those that may be learnt from."""
    from faced_train.training.data_note import data_note

    truths = tuple(Truth(f"key {i}", "", part) for i, part in enumerate(parts))
    faces = FaceSet(name, kind, truths, tuple(range(len(truths))), None)
    learnt = [i for i, truth in enumerate(truths) if truth.part in ("", "Training") or truth.in_fold]
    note = data_note(faces.take(learnt), 0.05)
    trained = Trained("recipe", "0" * 64, note.description, note.held_out)
    return faces, replace(load_manifest().network("emotion"), trained=trained, trained_on=note.trained_on)


def test_other_parts_are_unseen():
    faces, entry = noted("FER2013 CSV", "Training", "PublicTest", "Training", "PrivateTest")
    assert entry.trained_on == ("FER2013 Training",)
    assert unseen_rows(faces, entry) == [1, 3]
    own, entry = noted(OWN_FOLDER, "Training", "Test", "")
    assert entry.trained_on == ("mine", "mine Training")
    assert unseen_rows(own, entry) == [1]
    assert unseen_rows(replace(own, name="another"), entry) == [0, 1, 2]


def test_of_folds_the_last_one_is_unseen():
    faces, entry = noted("Adience", *(f"fold_{i % 5}" for i in range(10)))
    assert entry.trained_on == ("Adience fold_0", "Adience fold_1", "Adience fold_2", "Adience fold_3")
    assert unseen_rows(faces, entry) == [4, 9]
    assert [i for i, learnt in enumerate(learnt_rows(faces, entry)) if not learnt] == [4, 9]


def test_where_there_is_nothing_else_what_was_held_out_is_unseen():
    faces, entry = noted("UTKFace", *[""] * 200)
    assert entry.trained_on == ("UTKFace",)
    held_out = [i for i in range(200) if is_held_out(f"key {i}", 0.05)]
    assert 3 <= len(held_out) <= 20
    assert unseen_rows(faces, entry) == held_out


def test_what_was_learnt_before_stays_known():
    from faced_train.training.data_note import DataNote

    mine = DataNote("mine, 10 faces", ("mine",), 0.1)
    theirs = DataNote("FER2013 Training, 20 faces", ("FER2013 Training",), 0.05)
    note = mine.after("emotion", theirs)
    assert note.description == "mine, 10 faces; begun with emotion (FER2013 Training, 20 faces)"
    assert note.trained_on == ("FER2013 Training", "mine")
    # Held out by both.
    assert note.held_out == 0.05
    assert mine.after("dlib's", None) == DataNote("mine, 10 faces; begun with dlib's", ("mine",), 0.1)
