import cv2
import numpy as np
import pytest

from faced_models.bundle import load_detector
from faced_models.errors import DeviceError
from faced_models.scale import ScanPlan, plan_scan
from faced_proto.types import Precision

AS_IS = ScanPlan(0, 1.0, 0, 1.0, 80.0)


@pytest.fixture(scope="module")
def detector():
    return load_detector(backend="ort", device="cpu", cpu_threads=2)


def plan(width, height, **wishes):
    caps = {"auto_upsample": 0, "max_upscaled_pixels": 2_000_000, "max_detect_pixels": 8_300_000}
    return plan_scan(width, height, **({"upsample_times": None, "min_face_px": None} | caps | wishes))


def test_the_astronaut_has_one_face_where_dlib_finds_it(detector, astronaut):
    (face,) = detector.detect([astronaut], AS_IS, [0.0])[0]
    assert (face.box.left, face.box.top, face.box.right, face.box.bottom) == (168, 69, 264, 165)
    assert face.score == pytest.approx(1.062513, abs=1e-5)


def test_a_threshold_above_the_score_hides_the_face(detector, astronaut):
    assert detector.detect([astronaut], AS_IS, [1.07]) == [()]


def test_a_threshold_below_zero_never_hides_what_zero_finds(detector, astronaut):
    boxes = {face.box for face in detector.detect([astronaut], AS_IS, [-0.9])[0]}
    assert {face.box for face in detector.detect([astronaut], AS_IS, [0.0])[0]} <= boxes


def test_leaving_out_fine_levels_keeps_the_large_face(detector, astronaut):
    image = cv2.resize(astronaut, (1024, 1024), interpolation=cv2.INTER_LINEAR)  # a face of 192 px
    exact = detector.detect([image], AS_IS, [0.0])[0]
    coarse = detector.detect([image], plan(1024, 1024, min_face_px=150), [0.0])[0]
    assert len(coarse) == len(exact) == 1
    a, b = exact[0].box, coarse[0].box
    assert abs(a.left - b.left) < 25
    assert abs(a.width - b.width) < 40


def test_a_shrunk_picture_gives_boxes_in_its_own_pixels(detector, astronaut):
    shrunk = plan(512, 512, max_detect_pixels=400 * 400)
    assert shrunk.shrink == pytest.approx(400 / 512)
    image = cv2.resize(astronaut, (1024, 1024), interpolation=cv2.INTER_LINEAR)
    (face,) = detector.detect([image], plan(1024, 1024, max_detect_pixels=512 * 512), [0.0])[0]
    assert abs(face.box.left - 2 * 168) < 20
    assert abs(face.box.width - 2 * 96) < 30


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (9, 9), (10, 5), (5, 10), (10, 10), (3, 600)])
def test_pictures_too_small_for_a_face_have_none(detector, size):
    assert detector.detect([np.full((size[1], size[0], 3), 128, np.uint8)], AS_IS, [0.0]) == [()]


def test_frames_of_changing_sizes_do_not_disturb_each_other(detector, astronaut):
    first = detector.detect([astronaut], AS_IS, [0.0])
    for size in ((300, 200), (512, 512), (640, 360)):
        detector.detect([np.full((size[1], size[0], 3), 255, np.uint8)], AS_IS, [0.0])
    assert detector.detect([astronaut], AS_IS, [0.0]) == first


def test_a_device_that_cannot_be_used_is_refused_with_its_reason():
    with pytest.raises(DeviceError, match="CUDAExecutionProvider"):
        load_detector(device="cuda")
    with pytest.raises(DeviceError, match="unknown device 'tpu'"):
        load_detector(device="tpu")
    with pytest.raises(DeviceError, match="unknown backend 'torch'"):
        load_detector(backend="torch")
    with pytest.raises(DeviceError, match="precision"):
        load_detector(backend="ort", device="cpu", precision=Precision.FAST)
