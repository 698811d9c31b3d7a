import numpy as np
import pytest

from faced_models.bundle import load_detector
from faced_models.guarded_detector import MARGIN, GuardedDetector
from faced_models.scale import ScanPlan
from faced_proto.types import Detection

AS_IS = ScanPlan(0, 1.0, 0, 1.0, 80.0)
SCORE = 1.062513
"""The astronaut's, by dlib."""


class Shifted:
    """A real detector whose scores are off, as those of fewer bits are; counts the images that it was given."""

    def __init__(self, detector, error: float) -> None:
        self._detector = detector
        self._error = error
        self.info, self.engine = detector.info, detector.engine
        self.images = 0

    def detect(self, images, plan, thresholds):
        self.images += len(images)
        found = self._detector.detect(images, plan, [threshold - self._error for threshold in thresholds])
        return [tuple(Detection(face.box, face.score + self._error) for face in faces) for faces in found]


@pytest.fixture(scope="module")
def exact():
    return load_detector(backend="ort", device="cpu", cpu_threads=2)


def scan(exact, error, images, thresholds):
    fast, referee = Shifted(exact, error), Shifted(exact, 0.0)
    return GuardedDetector(fast, referee).detect(images, AS_IS, thresholds), referee.images


@pytest.mark.parametrize("error", [-0.019, 0.019])
@pytest.mark.parametrize("away", [-0.01, 0.01])
def test_a_face_near_the_threshold_is_decided_by_the_exact_detector(exact, astronaut, error, away):
    threshold = SCORE + away
    found, images = scan(exact, error, [astronaut], [threshold])
    assert found == exact.detect([astronaut], AS_IS, [threshold])
    assert images == 1


@pytest.mark.parametrize("threshold", [0.0, SCORE - 0.02 - MARGIN - 0.001, SCORE + 0.02 + MARGIN + 0.001])
def test_a_face_that_is_clearly_above_or_below_costs_nothing_more(exact, astronaut, threshold):
    found, images = scan(exact, 0.02, [astronaut], [threshold])
    assert [face.box for face in found[0]] == [face.box for face in exact.detect([astronaut], AS_IS, [threshold])[0]]
    assert images == 0


def test_of_a_batch_only_the_borderline_images_are_scanned_again(exact, astronaut):
    empty = np.zeros_like(astronaut)
    thresholds = [0.0, SCORE - 0.01, 0.0]
    found, images = scan(exact, 0.019, [astronaut, astronaut, empty], thresholds)
    assert images == 1
    assert [len(faces) for faces in found] == [1, 1, 0]
    assert found[0][0].score == pytest.approx(SCORE + 0.019, abs=1e-5)
    assert found[1][0].score == pytest.approx(SCORE, abs=1e-5)
