"""The CUDA way on a real GPU; skipped where there is none."""

import ctypes
import json

import numpy as np
import onnxruntime as ort
import pytest

from faced_models.bundle import load_detector
from faced_models.fused_detector import FusedDetector
from faced_models.fused_graph import FusedGraphs, Tiling
from faced_models.manifest import load_manifest
from faced_models.scale import ScanPlan
from faced_models.store import verified_path
from tests.parity.cases import data_cases, own_cases
from tests.parity.comparison import assert_same
from tests.parity.record import RECORD, digest, plan_of

AS_IS = ScanPlan(0, 1.0, 0, 1.0, 80.0)


@pytest.fixture(scope="module", autouse=True)
def gpu():
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        pytest.skip(f"needs a GPU: this ONNX Runtime ({ort.__version__}) has no CUDAExecutionProvider")
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        pytest.skip(f"needs a GPU: no NVIDIA driver ({error})")


@pytest.fixture(scope="module")
def detector(gpu):
    return load_detector(device="cuda")


def check_against_record(detector, cases):
    record = json.loads(RECORD.read_text())
    boxes = 0
    for case in cases:
        row = record[f"{case.name}@{case.upsample}"]
        if row["pixels"] != digest(case):
            continue  # this version of OpenCV decodes or resizes to other pixels than dlib was given
        found = detector.detect([case.image], plan_of(case), [0.0])[0]
        assert_same(found, row["boxes"], f"{case.name}@{case.upsample}")
        boxes += len(found)
    return boxes


def test_cuda_runs_the_one_graph_detector_and_says_so(detector):
    assert isinstance(detector, FusedDetector)
    assert detector.engine.device.startswith("cuda")


def test_boxes_on_own_pictures_are_those_recorded_from_dlib(detector):
    assert check_against_record(detector, own_cases()) >= 150


@pytest.mark.data
def test_boxes_on_the_detection_pictures_are_those_recorded_from_dlib(detector, data_dir):
    assert check_against_record(detector, data_cases(data_dir)) >= 39


@pytest.mark.parametrize("count", [1, 8, 32])
def test_frames_of_a_batch_get_the_boxes_they_get_alone(detector, astronaut, count):
    frames = [np.roll(astronaut, 3 * index, axis=1) for index in range(count)]
    together = detector.detect(frames, AS_IS, [0.0] * count)
    alone = [detector.detect([frame], AS_IS, [0.0])[0] for frame in frames]
    assert [[face.box for face in faces] for faces in together] == [[face.box for face in faces] for faces in alone]
    assert len(together[0]) == 1


def test_no_part_of_the_graph_falls_back_to_the_cpu():
    entry = load_manifest().detector
    graphs = FusedGraphs(verified_path(entry).read_bytes(), np.array(entry.input.mean, np.float32))
    options = ort.SessionOptions()
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    ort.preload_dlls()
    session = ort.InferenceSession(
        graphs.write(Tiling.of(640, 480, 0, 10, 11)), options, providers=["CUDAExecutionProvider"]
    )
    scores = session.run(None, {"images": np.zeros((2, 480, 640, 3), np.uint8)})[0]
    assert scores.shape == (2, 1, 220, 80)
