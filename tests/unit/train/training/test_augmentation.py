from dataclasses import replace

import cv2
import numpy as np
import pytest

from faced_models.aligner import Aligner
from faced_models.bundle import load_models
from faced_models.crop import CropKind, CropRecipe
from faced_models.scale import WINDOW_PX, ScanPlan
from faced_train.faces import FaceSet, Truth
from faced_train.framing import framed
from faced_train.training.recipe import AugmentPlan

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow

SIDE = 96


@pytest.fixture(scope="module")
def models():
    return load_models(attributes=["emotion"], cpu_threads=1)


@pytest.fixture(scope="module")
def face(astronaut):
    return np.ascontiguousarray(astronaut[65:185, 160:280])


@pytest.fixture(scope="module")
def placements(models, face, tmp_path_factory):
    from faced_train.training.placing import place

    class Source:
        def pictures(self, places):
            return iter([face for _ in places])

    faces = FaceSet("made", "made", (Truth("a", "a"), Truth("b", "b")), (0, 1), Source())
    keep = tmp_path_factory.mktemp("placements")
    placements = place(faces, models, keep)
    assert placements.found.all()
    again = place(faces, models, keep)
    assert (again.boxes == placements.boxes).all()
    return placements


@pytest.fixture(scope="module")
def placed(placements, face):
    from faced_train.training.augmentation import squares_of

    return squares_of(placements, face.shape[0])


def drawn(plan, squares, face, side=SIDE, n=1, seed=0):
    from faced_train.training.augmentation import Augmentation

    pictures = torch.from_numpy(np.stack([face.transpose(2, 0, 1)] * n))
    crops = Augmentation(plan, squares)(pictures, torch.arange(n), side, torch.Generator().manual_seed(seed))
    return (255 * crops).numpy()


@pytest.mark.parametrize("kept", [120, 160, 200])
@pytest.mark.parametrize(
    ("kind", "plan"),
    [
        (CropKind.BLEND, AugmentPlan(flip=False, served=1.0, padding=(0.05, 0.05))),
        (CropKind.CHIP, AugmentPlan(flip=False, served=1.0, chip=1.0, padding=(0.05, 0.05))),
        (CropKind.FACE_ALIGNER, AugmentPlan(flip=False, served=1.0, eyes=1.0)),
    ],
)
def test_crops_lie_where_the_server_cuts_them(models, placements, face, kind, plan, kept):
    """Also of pictures that are kept smaller or larger than they were handed out."""
    from faced_train.training.augmentation import squares_of

    aligner: Aligner = models.aligner
    frame = framed(face)
    found = models.detector.detect([frame.image], ScanPlan(0, 1.0, 0, 1.0, WINDOW_PX), [0.0])[0]
    boxes = [found[0].box]
    recipe = CropRecipe(kind, SIDE, 0.325 if kind is CropKind.FACE_ALIGNER else 0.05)
    served = aligner.crops(frame.image, boxes, aligner.landmarks(frame.image, boxes), recipe)[0].astype(float)
    picture = face if kept == len(face) else cv2.resize(face, (kept, kept), interpolation=cv2.INTER_AREA)
    mine = drawn(plan, squares_of(placements, kept), picture)[0].transpose(1, 2, 0)
    # Two ways to sample the same square: edges differ a little, a pixel's shift would differ by a multiple.
    middle = slice(8, -8)
    apart = np.abs(served - mine)[middle, middle].mean()
    shifted = np.abs(served - np.roll(mine, 1, axis=1))[middle, middle].mean()
    assert apart < 4
    assert apart < 0.5 * shifted


def test_nothing_asked_for_is_the_picture_itself(face):
    same = drawn(AugmentPlan(flip=False), None, face, side=face.shape[0])[0]
    assert np.abs(same.transpose(1, 2, 0) - face).max() < 0.01


def test_half_are_mirrored(face):
    flipped = drawn(AugmentPlan(), None, face, side=face.shape[0], n=200)
    mirrored = [np.abs(one - face.transpose(2, 0, 1)[:, :, ::-1]).max() < 0.01 for one in flipped]
    assert 70 < sum(mirrored) < 130


@pytest.mark.parametrize(
    ("plan", "least", "most"),
    [
        (AugmentPlan(flip=False, gamma=0.5), 1, 60),
        (AugmentPlan(flip=False, blur=1.0), 0.1, 15),
        (AugmentPlan(flip=False, noise=8.0), 1, 8),
        (AugmentPlan(flip=False, erase=1.0), 1, 60),
        (AugmentPlan(flip=False, turn=20.0), 1, 60),
        (AugmentPlan(flip=False, zoom=0.2), 1, 60),
        (AugmentPlan(flip=False, shift=0.1), 1, 60),
        (AugmentPlan(flip=False, squeeze=0.2), 1, 60),
    ],
)
def test_each_change_changes_something_and_each_time_the_same(face, plan, least, most):
    original = face.transpose(2, 0, 1)
    crops = drawn(plan, None, face, side=face.shape[0], n=16)
    assert least < np.abs(crops - original).mean() < most
    assert np.ptp(np.abs(crops - original).mean(axis=(1, 2, 3))) > 0
    assert (drawn(plan, None, face, side=face.shape[0], n=16) == crops).all()
    assert (drawn(plan, None, face, side=face.shape[0], n=16, seed=1) != crops).any()


def test_faces_that_were_not_found_are_drawn_as_handed_out(placed, face):
    unfound = replace(placed, found=torch.zeros(2, dtype=torch.bool))
    same = drawn(AugmentPlan(flip=False, served=1.0), unfound, face, side=face.shape[0])[0]
    assert np.abs(same.transpose(1, 2, 0) - face).max() < 0.01
