"""A real detector that fails to allocate above a size."""

import logging
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from faced_models.bundle import load_detector
from faced_models.errors import ModelError, OutOfMemory
from faced_models.scale import ScanPlan
from faced_models.thrifty_detector import MemoryStep, ThriftyDetector

AS_IS = ScanPlan(0, 1.0, 0, 1.0, 80.0)
DOUBLED = ScanPlan(1, 1.0, 0, 2.0, 40.0)


class Small:
    """Holds at most `pixels` of all its images together, as they are scaled; fails above, as ONNX Runtime does."""

    def __init__(self, detector, pixels, device="cuda:0", error=OutOfMemory):
        self._detector = detector
        self._pixels = pixels
        self._error = error
        self.info = detector.info
        self.engine = replace(detector.engine, device=device)
        self.runs = []

    def detect(self, images, plan, thresholds):
        pixels = sum(image.shape[0] * image.shape[1] for image in images) * plan.applied_scale**2
        self.runs.append((len(images), plan.upsample_times))
        if pixels > self._pixels:
            raise self._error(f"mmod failed: Failed to allocate memory for {pixels:g} pixels")
        return self._detector.detect(images, plan, thresholds)


@pytest.fixture(scope="module")
def detector():
    return load_detector(backend="ort", device="cpu", cpu_threads=1)


@pytest.fixture(scope="module")
def head(astronaut):
    return np.ascontiguousarray(astronaut[:200, 120:320])


def thrifty(detector, spare=None):
    steps = []
    return ThriftyDetector(detector, spare=spare, on_step=steps.append), steps


def test_with_enough_memory_nothing_is_different(detector, head):
    subject, steps = thrifty(detector)
    found = subject.scan([head, head], [DOUBLED, AS_IS], [0.0, 0.0])
    assert [scanned.detections for scanned in found] == detector.detect([head, head], DOUBLED, [0.0, 0.0])
    assert {(scanned.plan, scanned.engine) for scanned in found} == {(DOUBLED, detector.engine)}
    assert steps == []


def test_a_batch_is_split_until_it_fits(detector, head):
    small = Small(detector, 200 * 200 * 2)
    subject, steps = thrifty(small)
    found = subject.scan([head] * 5, [AS_IS], [0.0, 5.0, 0.0, 0.0, 0.0])
    assert [len(scanned.detections) for scanned in found] == [1, 0, 1, 1, 1]
    assert [count for count, _ in small.runs] == [5, 2, 3, 1, 2]
    assert steps == [MemoryStep.SPLIT] * 2


def test_a_frame_alone_is_scanned_coarser_where_the_caller_allows_it(detector, head, caplog):
    small = Small(detector, 200 * 200)
    subject, steps = thrifty(small)
    with caplog.at_level(logging.WARNING):
        (scanned,) = subject.scan([head], [DOUBLED, AS_IS], [0.0])
    assert scanned.detections == detector.detect([head], AS_IS, [0.0])[0]
    assert (scanned.plan, scanned.engine.device) == (AS_IS, "cuda:0")
    assert steps == [MemoryStep.COARSER]
    assert "next on cuda:0 at scale 1" in caplog.text


def test_the_cpu_is_last_and_scans_as_was_wished(detector, head):
    subject, steps = thrifty(Small(detector, 100), detector)
    (scanned,) = subject.scan([head], [DOUBLED, AS_IS], [0.0])
    assert scanned.detections == detector.detect([head], DOUBLED, [0.0])[0]
    assert (scanned.plan, scanned.engine.device) == (DOUBLED, "cpu")
    assert steps == [MemoryStep.COARSER, MemoryStep.CPU]


def test_without_a_cpu_at_hand_the_frame_fails_and_the_next_works(detector, head):
    subject, steps = thrifty(Small(detector, 100 * 100))
    with pytest.raises(OutOfMemory, match=r"the detector is out of memory: .*Failed to allocate"):
        subject.scan([head], [AS_IS], [0.0])
    assert steps == [MemoryStep.FAILED]
    assert len(subject.scan([head[50:150, 50:150].copy()], [AS_IS], [0.0])) == 1


def test_python_running_out_of_memory_counts_too(detector, head):
    subject, steps = thrifty(Small(detector, 200 * 200, error=MemoryError))
    assert len(subject.scan([head] * 2, [AS_IS], [0.0, 0.0])) == 2
    assert steps == [MemoryStep.SPLIT]


def test_other_failures_pass_through(detector, head):
    subject, steps = thrifty(Small(detector, 100, error=ModelError), detector)
    with pytest.raises(ModelError):
        subject.scan([head], [DOUBLED, AS_IS], [0.0])
    assert steps == []


def test_onnx_runtime_without_memory_is_an_out_of_memory_and_the_next_run_works():
    code = """
import resource
import numpy as np
from faced_models.bundle import load_detector
from faced_models.errors import OutOfMemory
from faced_models.scale import ScanPlan
detector = load_detector(backend="ort", device="cpu", cpu_threads=1)
small, plan = np.zeros((100, 100, 3), np.uint8), ScanPlan(0, 1.0, 0, 1.0, 80.0)
detector.detect([small], plan, [0.0])
large = detector._session
inputs = np.zeros((1, 3, 4000, 4000), np.float32)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 60_000_000,) * 2)
try:
    large.run(inputs)
except OutOfMemory as error:
    print(type(error).__name__, "mmod" in str(error))
print(len(detector.detect([small], plan, [0.0])))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "OutOfMemory True\n1\n", done.stderr[-2000:]
