import numpy as np
import pytest

from faced_models.errors import ModelError
from faced_train.errors import DataError
from faced_train.evaluation import Evaluation
from faced_train.faces import Broken, FaceSet, Truth
from faced_train.observers import Observation
from faced_train.rows_file import RowsFile


class Numbered:
    """Pictures that hold their own place; some cannot be read."""

    def __init__(self, broken=()):
        self.broken = broken

    def pictures(self, places):
        for place in places:
            yield Broken(f"picture {place}") if place in self.broken else np.full((2, 2, 3), place, np.uint8)


class Counting:
    """Sees nothing on every fifth picture, and stops once after `stop_after` pictures."""

    batch = 4

    def __init__(self, stop_after=None):
        self.seen = []
        self.stop_after = stop_after

    def observe(self, crops):
        if self.stop_after is not None and len(self.seen) >= self.stop_after:
            raise ModelError("stopped")
        places = [int(crop[0, 0, 0]) for crop in crops]
        self.seen += places
        return [None if place % 5 == 0 else Observation(100.0, {"a": (place, 1.0)}) for place in places]


def faces(count=20, broken=()):
    truths = tuple(Truth(str(i), f"row {i}") for i in range(count))
    return FaceSet("numbers", "test", truths, tuple(range(count)), Numbered(broken))


def evaluation(observer, folder, skip_bad=False):
    return Evaluation(observer, {"a": 2}, {"model": "m"}, folder, skip_bad)


def test_found_and_missed_are_told_apart(tmp_path):
    done = []
    observed = evaluation(Counting(), tmp_path).observe(faces(), done.append)
    assert observed.missed == 4
    assert observed.found.tolist() == [i for i in range(20) if i % 5]
    assert observed.probabilities["a"][:, 0].tolist() == observed.found.tolist()
    assert done == [0, 4, 8, 12, 16, 20]
    assert list(tmp_path.iterdir()) == []


def test_an_evaluation_that_was_cut_short_goes_on_where_it_stopped(tmp_path):
    with pytest.raises(ModelError):
        evaluation(Counting(stop_after=8), tmp_path).observe(faces())
    (kept,) = tmp_path.iterdir()
    with kept.open("ab") as file:
        file.write(b"half")  # of a row that was being written
    rest = Counting()
    observed = evaluation(rest, tmp_path).observe(faces())
    assert rest.seen == list(range(8, 20))
    assert observed.found.tolist() == [i for i in range(20) if i % 5]


def test_the_same_evaluation_twice_at_a_time_does_no_harm(tmp_path):
    inner = []

    class Overtaken(Counting):
        """Another process begins after its first rows, and ends before it has written more."""

        def observe(self, crops):
            if len(self.seen) == 8:
                inner.append(evaluation(Counting(), tmp_path).observe(faces()))
            return super().observe(crops)

    for observed in (evaluation(Overtaken(), tmp_path).observe(faces()), *inner):
        assert observed.found.tolist() == [i for i in range(20) if i % 5]
        assert observed.probabilities["a"][:, 0].tolist() == observed.found.tolist()
    assert list(tmp_path.iterdir()) == []


def test_rows_that_two_write_at_a_time_are_in_their_places(tmp_path):
    rows = np.arange(12, dtype=np.float32).reshape(6, 2)
    with RowsFile(tmp_path / "rows", 2) as one, RowsFile(tmp_path / "rows", 2) as other:
        for file, first in ((one, 0), (other, 0), (other, 2), (one, 2), (one, 4), (other, 4)):
            file.write(first, rows[first : first + 2])
        assert (one.read() == rows).all()
        assert len(other) == 6


def test_another_model_or_other_faces_start_anew(tmp_path):
    with pytest.raises(ModelError):
        evaluation(Counting(stop_after=8), tmp_path).observe(faces())
    for other in (
        lambda observer: Evaluation(observer, {"a": 2}, {"model": "n"}, tmp_path, False).observe(faces()),
        lambda observer: evaluation(observer, tmp_path).observe(faces().take(range(19))),
    ):
        observer = Counting()
        other(observer)
        assert observer.seen[0] == 0


def test_a_broken_picture_is_named_or_left_out(tmp_path):
    with pytest.raises(DataError, match="picture 7; --skip-bad leaves it out"):
        evaluation(Counting(), tmp_path).observe(faces(broken=(7,)))
    observed = evaluation(Counting(), tmp_path, skip_bad=True).observe(faces(broken=(7,)))
    assert observed.broken == ("picture 7",)
    assert (len(observed.found), observed.missed) == (15, 4)
