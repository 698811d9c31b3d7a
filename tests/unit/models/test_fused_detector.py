import gc
import json
import weakref
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import onnxruntime as ort
import pytest

from faced_models.bound_run import bound_run
from faced_models.boxes import Overlap
from faced_models.bundle import load_detector
from faced_models.detector import MmodOptions
from faced_models.errors import OutOfMemory
from faced_models.fused_detector import FusedDetector, largest_batch
from faced_models.fused_graph import FusedGraphs, Tiling
from faced_models.kernels import load_kernels
from faced_models.manifest import load_manifest
from faced_models.scale import ScanPlan, plan_scan
from faced_models.store import verified_path
from faced_proto.types import Engine, Precision
from tests.parity.cases import own_cases
from tests.parity.comparison import assert_same
from tests.parity.record import RECORD, digest, plan_of

ENTRY = load_manifest().detector
OPTIONS = MmodOptions(
    windows=ENTRY.options.windows_of(ENTRY.input.size),
    overlaps=Overlap(ENTRY.options.iou, ENTRY.options.percent_covered),
    means=np.array(ENTRY.input.mean, np.float32),
    padding=ENTRY.options.pyramid_padding,
    outer_padding=ENTRY.options.pyramid_outer_padding,
)
AS_IS = ScanPlan(0, 1.0, 0, 1.0, 80.0)


class CpuSession:
    """The graph on ONNX Runtime's CPU provider; remembers the batches that it was given."""

    def __init__(self, model):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 2
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.batches = []

    def run(self, batch):
        self.batches.append(len(batch))
        return bound_run(self.session, batch)


class Made:
    """A factory that keeps the sessions it made."""

    def __init__(self):
        self.sessions = []

    def __call__(self, model):
        self.sessions.append(CpuSession(model))
        return self.sessions[-1]


def detector_of(new_session):
    graphs = FusedGraphs(verified_path(ENTRY).read_bytes(), OPTIONS.means)
    engine = Engine("cpu", "onnxruntime", Precision.EXACT, ENTRY.model_id)
    return FusedDetector(graphs, new_session, OPTIONS, load_kernels(), exact().info, engine)


def exact():
    return load_detector(backend="ort", device="cpu", cpu_threads=2)


@pytest.fixture(scope="module")
def fused():
    return detector_of(CpuSession)


@pytest.fixture(scope="module")
def mmod():
    return exact()


@pytest.fixture
def face(astronaut):
    return astronaut[20:260, 100:340]


def values(detections):
    return [(face.box.left, face.box.top, face.box.right, face.box.bottom) for face in detections]


def assert_equal_faces(found, expected):
    assert [values(faces) for faces in found] == [values(faces) for faces in expected]
    for faces, others in zip(found, expected, strict=True):
        np.testing.assert_allclose([f.score for f in faces], [f.score for f in others], atol=2e-4)


def check_against_record(fused, cases):
    record = json.loads(RECORD.read_text())
    boxes = 0
    for case in cases:
        row = record[f"{case.name}@{case.upsample}"]
        if row["pixels"] != digest(case):
            continue  # this version of OpenCV resizes to other pixels than dlib was given
        found = fused.detect([case.image], plan_of(case), [0.0])[0]
        assert_same(found, row["boxes"], f"{case.name}@{case.upsample}")
        boxes += len(found)
    return boxes


def test_boxes_are_those_recorded_from_dlib_doubled_odd_grey_narrow_and_small(fused):
    named = [case for case in own_cases() if not case.name.startswith("random")]
    large = ("astronaut@1", "astronaut-face@2")
    assert check_against_record(fused, [c for c in named if f"{c.name}@{c.upsample}" not in large]) >= 12


def test_boxes_of_random_crops_are_those_recorded_from_dlib(fused):
    crops = [case for case in own_cases() if case.name.startswith("random")]
    assert check_against_record(fused, crops[:40]) >= 25


@pytest.mark.slow
def test_all_own_boxes_are_those_recorded_from_dlib(fused):
    assert check_against_record(fused, own_cases()) >= 150


def test_frames_of_a_batch_get_the_boxes_they_get_alone(face, mmod):
    made = Made()
    fused = detector_of(made)
    frames = [face, face[:, ::-1].copy(), face, np.full_like(face, 90), face[::-1].copy()]
    found = fused.detect(frames, AS_IS, [0.0, 0.0, 99.0, 0.0, 0.0])
    assert_equal_faces(found, mmod.detect(frames, AS_IS, [0.0, 0.0, 99.0, 0.0, 0.0]))
    assert [len(faces) for faces in found[:4]] == [1, 1, 0, 0]
    assert [session.batches for session in made.sessions] == [[8]]  # five, filled up


def test_batches_are_powers_of_two_up_to_the_largest(face):
    made = Made()
    fused = detector_of(made)
    small = cv2.resize(face, (100, 100), interpolation=cv2.INTER_AREA)
    for count in (1, 2, 3, 4, 33):
        assert len(fused.detect([small] * count, AS_IS, [0.0] * count)) == count
    assert made.sessions[0].batches == [1, 2, 4, 4, 32, 1]


@pytest.mark.parametrize(
    ("width", "height", "batch"),
    [(100, 100, 32), (640, 480, 32), (641, 520, 16), (1280, 720, 8), (1920, 1080, 4), (3840, 2160, 1), (6000, 6000, 1)],
)
def test_large_images_run_in_smaller_batches(width, height, batch):
    assert largest_batch(Tiling.of(width, height, 0, 10, 11)) == batch


@pytest.mark.parametrize("smallest", [100, 150, 190])
def test_leaving_out_fine_levels_gives_the_same_boxes(fused, mmod, astronaut, smallest):
    image = cv2.resize(astronaut, (1024, 1024), interpolation=cv2.INTER_LINEAR)  # a face of 192 px
    plan = plan_scan(
        1024,
        1024,
        upsample_times=None,
        min_face_px=smallest,
        auto_upsample=0,
        max_upscaled_pixels=2_000_000,
        max_detect_pixels=8_300_000,
    )
    assert plan.skip_levels > 0
    found = fused.detect([image], plan, [0.0])
    assert len(found[0]) == 1
    assert_equal_faces(found, mmod.detect([image], plan, [0.0]))


def test_a_shrunk_picture_gives_the_same_boxes_in_its_own_pixels(fused, mmod, astronaut):
    plan = ScanPlan(0, 0.9, 0, 0.9, 80 / 0.9)
    found = fused.detect([astronaut], plan, [-0.9])
    assert len(found[0]) == 1
    assert_equal_faces(found, mmod.detect([astronaut], plan, [-0.9]))


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (9, 9), (10, 5), (10, 10), (13, 54), (3, 600)])
def test_pictures_too_small_for_a_face_have_none(fused, size):
    assert fused.detect([np.full((size[1], size[0], 3), 128, np.uint8)], AS_IS, [0.0]) == [()]


def test_strides_do_not_matter(fused, mmod, astronaut):
    turned = astronaut[20:260, 100:340][:, ::-1]
    assert not turned.flags.c_contiguous
    assert_equal_faces(fused.detect([turned], AS_IS, [0.0]), mmod.detect([turned.copy()], AS_IS, [0.0]))


def test_only_the_eight_sizes_that_came_last_are_kept(astronaut):
    made = Made()
    fused = detector_of(made)
    for side in [*range(100, 108), 100, 108]:  # nine sizes; 101 makes room for 108
        fused.detect([astronaut[:side, :side]], AS_IS, [0.0])
    assert len(made.sessions) == 9
    fused.detect([astronaut[:100, :100]], AS_IS, [0.0])
    assert len(made.sessions) == 9
    fused.detect([astronaut[:101, :101]], AS_IS, [0.0])
    assert len(made.sessions) == 10


def test_out_of_memory_costs_the_sessions_of_other_sizes_first(astronaut, face, mmod):
    alive = weakref.WeakSet()

    class LastOneOnly(CpuSession):
        """Fails to allocate while there is another session."""

        def __init__(self, model):
            super().__init__(model)
            alive.add(self)

        def run(self, batch):
            gc.collect()
            if len(alive) > 1:
                raise OutOfMemory("no memory beside another session")
            return super().run(batch)

    fused = detector_of(LastOneOnly)
    fused.detect([astronaut[:100, :100]], AS_IS, [0.0])
    assert_equal_faces(fused.detect([face], AS_IS, [0.0]), mmod.detect([face], AS_IS, [0.0]))
    assert len(alive) == 1


def test_out_of_memory_without_other_sessions_is_the_callers(face):
    class NeverTwo(CpuSession):
        def run(self, batch):
            if len(batch) > 1:
                raise OutOfMemory("no memory for two")
            return super().run(batch)

    fused = detector_of(NeverTwo)
    with pytest.raises(OutOfMemory, match="for two"):
        fused.detect([face, face], AS_IS, [0.0, 0.0])
    assert len(fused.detect([face], AS_IS, [0.0])[0]) == 1


def test_threads_with_different_sizes_do_not_disturb_each_other(fused, mmod, face):
    images = [face, face[:, :-7], face[5:], face[3:, 4:]] * 3
    expected = {image.shape: mmod.detect([image], AS_IS, [0.0]) for image in images}
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda image: fused.detect([image], AS_IS, [0.0]), images))
    for image, faces in zip(images, found, strict=True):
        assert_equal_faces(faces, expected[image.shape])


def test_bound_memory_changes_no_number(face):
    session = CpuSession(
        FusedGraphs(verified_path(ENTRY).read_bytes(), OPTIONS.means).write(Tiling.of(240, 240, 0, 10, 11))
    ).session
    batch = np.stack([face, face[::-1]])
    plain = session.run(None, {"images": batch})[0]
    assert np.array_equal(bound_run(session, batch), plain)
    assert np.array_equal(bound_run(session, np.asfortranarray(batch), ort.RunOptions()), plain)
