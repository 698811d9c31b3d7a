import io
import zipfile
from dataclasses import fields

import numpy as np
import pytest

from faced_models.convert.carriers import find_wheel, read_source
from faced_models.convert.cascade import cascade_archive, read_cascade
from faced_models.errors import WeightsError
from faced_models.landmark_cascade import LandmarkCascade
from faced_models.manifest import load_manifest
from faced_models.store import verified_path

ENTRY = load_manifest().landmarks

# dlib's shape_predictor on skimage's astronaut: inclusive left, top, right, bottom -> five points.
RECORDED = {
    (174, 72, 269, 167): [(255, 104), (238, 105), (195, 101), (212, 103), (224, 135)],
    (150, 40, 300, 190): [(255, 104), (237, 104), (195, 101), (212, 103), (224, 134)],
    (-20, -30, 60, 50): [(42, -1), (33, 0), (11, 3), (20, 2), (30, 24)],
    (440, 430, 560, 550): [(522, 459), (505, 459), (466, 463), (482, 461), (494, 486)],
    (0, 0, 511, 511): [(385, 207), (315, 191), (140, 167), (211, 175), (242, 324)],
}


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares rotation and scale [2, 2] between point sets (Umeyama, PAMI 1991)."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    u, d, vt = np.linalg.svd(b.T @ a / len(a))
    s = np.ones(2)
    if np.linalg.det(b.T @ a) < 0:
        s[1] = -1
    return u @ np.diag(s) @ vt * ((d * s).sum() / (a * a).sum(axis=1).mean())


def predict(cascade: dict[str, np.ndarray], image: np.ndarray, box: tuple[int, int, int, int]) -> list[tuple[int, int]]:
    """Kazemi and Sullivan's cascade, as slowly and as plainly as it can be said."""
    left, top, right, bottom = box
    corner, side = np.array([left, top], np.float64), np.array([right - left, bottom - top], np.float64)
    initial = cascade["initial_shape"]
    shape = initial.copy()
    for level in range(len(cascade["anchors"])):
        turn = similarity(initial.astype(np.float64), shape.astype(np.float64)).astype(np.float32)
        points = cascade["deltas"][level] @ turn.T + shape[cascade["anchors"][level]]
        pixels = np.floor(points * side + corner + 0.5).astype(int)
        intensity = np.zeros(len(pixels), np.float32)
        for index, (x, y) in enumerate(pixels):
            if 0 <= y < image.shape[0] and 0 <= x < image.shape[1]:
                intensity[index] = image[y, x].astype(int).sum() // 3
        trees = zip(
            *(cascade[key][level] for key in ("split_first", "split_second", "thresholds", "leaves")), strict=True
        )
        for first, second, thresholds, leaves in trees:
            node = 0
            while node < len(thresholds):
                goes_left = intensity[first[node]] - intensity[second[node]] > thresholds[node]
                node = 2 * node + (1 if goes_left else 2)
            shape = shape + leaves[node - len(thresholds)]
    return [tuple(point) for point in np.floor(shape * side + corner + 0.5).astype(int).tolist()]


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    with np.load(verified_path(ENTRY), allow_pickle=False) as archive:
        return dict(archive)


def test_the_arrays_have_the_cascades_shapes(arrays):
    assert {name: (a.dtype.name, a.shape) for name, a in arrays.items()} == {
        "initial_shape": ("float32", (5, 2)),
        "anchors": ("uint8", (15, 800)),
        "deltas": ("float32", (15, 800, 2)),
        "split_first": ("uint16", (15, 500, 15)),
        "split_second": ("uint16", (15, 500, 15)),
        "thresholds": ("float32", (15, 500, 15)),
        "leaves": ("float32", (15, 500, 16, 5, 2)),
    }


@pytest.mark.parametrize("box", RECORDED)
def test_the_cascade_puts_the_points_where_dlib_does(arrays, astronaut, box):
    assert predict(arrays, astronaut, box) == RECORDED[box]


def test_the_recorded_points_are_dlibs(carriers, astronaut, tmp_path):
    import dlib

    path = tmp_path / "five.dat"
    path.write_bytes(read_source(ENTRY.source, find_wheel(ENTRY.source, carriers)))
    predictor = dlib.shape_predictor(str(path))
    for box, points in RECORDED.items():
        found = predictor(astronaut, dlib.rectangle(*box))
        assert [(found.part(i).x, found.part(i).y) for i in range(5)] == points


def integer(value: int) -> bytes:
    return bytes([0x81 if value < 0 else 1, abs(value)])


def vector(*items: bytes) -> bytes:
    return integer(len(items)) + b"".join(items)


def column(*values: int) -> bytes:
    return integer(-len(values)) + integer(-1) + b"".join(integer(v) + integer(-3) for v in values)


def small_cascade(anchor: int = 1, split: int = 1, deltas: int = 2) -> bytes:
    """Two points, one level of one tree with one split on two features; values in eighths."""
    tree = vector(integer(0) + integer(split) + integer(20) + integer(0)) + vector(
        column(1, 0, 0, 0), column(0, 0, 0, 2)
    )
    delta = integer(4) + integer(-3) + integer(-4) + integer(-3)
    return (
        integer(1)
        + column(2, 2, 6, 6)
        + vector(vector(tree))
        + vector(vector(integer(0), integer(anchor)))
        + vector(vector(*[delta] * deltas))
    )


def test_a_cascade_is_read_to_its_last_byte():
    cascade = read_cascade(small_cascade(), "small.dat")
    assert cascade.initial_shape.tolist() == [[0.25, 0.25], [0.75, 0.75]]
    assert cascade.anchors.tolist() == [[0, 1]]
    assert cascade.deltas.tolist() == [[[0.5, -0.5], [0.5, -0.5]]]
    assert (cascade.split_first.tolist(), cascade.split_second.tolist()) == ([[[0]]], [[[1]]])
    assert cascade.thresholds.tolist() == [[[20.0]]]
    assert cascade.leaves.tolist() == [[[[[0.125, 0], [0, 0]], [[0, 0], [0, 0.25]]]]]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (small_cascade()[:-1], "the file ends"),
        (small_cascade() + b"\1", "1 bytes left over"),
        (small_cascade(anchor=2), "do not fit together"),
        (small_cascade(split=2), "a split on a feature beyond the 2"),
        (small_cascade(deltas=3), r"\(1, 3, 2\) deltas for \(1, 2\) anchors"),
        (b"\1\2", "version 2"),
        (integer(1) + column(2, 2, 6, 6) + vector() + vector() + vector(), "0 levels of trees"),
    ],
)
def test_a_wrong_cascade_is_refused(data, message):
    with pytest.raises(WeightsError, match=message):
        read_cascade(data, "small.dat")


def test_the_archive_is_the_same_every_time_and_holds_the_arrays():
    cascade = read_cascade(small_cascade(), "small.dat")
    archive = cascade_archive(cascade)
    assert archive == cascade_archive(read_cascade(small_cascade(), "small.dat"))
    with np.load(io.BytesIO(archive), allow_pickle=False) as loaded:
        for field in fields(LandmarkCascade):
            np.testing.assert_array_equal(loaded[field.name], getattr(cascade, field.name))
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        assert {entry.date_time for entry in zipped.infolist()} == {(1980, 1, 1, 0, 0, 0)}
