from faced_cli.face_memory import FaceMemory
from faced_proto.types import Box


def test_face_that_is_missed_is_remembered_for_half_a_second(face):
    memory = FaceMemory()
    assert memory.missing(0.0, [face(100, 100, 200, 200)]) == []
    assert memory.missing(0.1, []) == [Box(100, 100, 200, 200)]
    assert memory.missing(0.5, []) == [Box(100, 100, 200, 200)]
    assert memory.missing(0.51, []) == []


def test_face_that_is_there_leaves_nothing_behind(face):
    memory = FaceMemory()
    for i in range(5):
        assert memory.missing(0.04 * i, [face(100 + 5 * i, 100, 200 + 5 * i, 200)]) == []
    for i in range(5):  # far at once, but the same track
        assert memory.missing(0.2 + 0.04 * i, [face(200 * i, 300, 200 * i + 100, 400, track_id=7)]) == (
            [Box(120, 100, 220, 200)]
        )


def test_another_face_does_not_uncover_the_missing_one(face):
    memory = FaceMemory()
    memory.missing(0.0, [face(0, 0, 100, 100, track_id=1), face(300, 0, 400, 100, track_id=2)])
    assert memory.missing(0.1, [face(305, 0, 405, 100, track_id=2)]) == [Box(0, 0, 100, 100)]
