import builtins
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from faced_models import openvino_session
from faced_models.device import choose, probe
from faced_models.errors import DeviceError, ModelError, WeightsError
from faced_models.manifest import load_manifest
from faced_models.openvino_session import OpenVinoSession
from faced_models.ort_session import OrtSession
from faced_models.store import verified_path
from faced_proto.types import Precision

EXACT, FAST = Precision.EXACT, Precision.FAST


@pytest.fixture(scope="module")
def network() -> Path:
    pytest.importorskip("openvino")
    return verified_path(load_manifest().detector)


@pytest.fixture(scope="module")
def session(network):
    return OpenVinoSession(network, threads=2, precision=EXACT)


@pytest.fixture
def fast_session(network):
    try:
        choose("cpu", "openvino", FAST, probe())
    except DeviceError as error:
        pytest.skip(str(error))
    return OpenVinoSession(network, threads=2, precision=FAST)


def pyramid(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (1, 3, height, width)).astype(np.float32)


def reference(network, batch):
    return OrtSession(network, device="cpu", threads=2).run(batch)


def test_float32_gives_onnx_runtimes_scores(session, network):
    batch = np.concatenate([pyramid(201, 160), pyramid(201, 160, 1)])
    scores, expected = session.run(batch), reference(network, batch)
    assert scores.shape == expected.shape
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=5e-5)


def test_bfloat16_is_near_and_no_float32_in_disguise(fast_session, network):
    batch = pyramid(300, 240)
    difference = np.abs(fast_session.run(batch) - reference(network, batch))
    assert 1e-4 < difference.max() < 0.1


def test_a_result_stays_as_it_is_when_the_next_run_comes(session):
    first = session.run(pyramid(160, 160))
    copy = first.copy()
    session.run(pyramid(160, 160, 1))
    assert np.array_equal(first, copy)
    assert not np.array_equal(first, session.run(pyramid(160, 160, 1)))


def test_threads_get_the_results_of_their_own_inputs(session):
    inputs = [pyramid(120 + 8 * (seed % 5), 130, seed) for seed in range(20)]
    alone = [session.run(batch) for batch in inputs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(session.run, inputs))
    for a, b in zip(alone, together, strict=True):
        assert np.array_equal(a, b)


def test_other_threads_run_while_the_network_does(session):
    batch = pyramid(1200, 1000)
    session.run(batch)
    done, counted = threading.Event(), []

    def count() -> None:
        while not done.wait(0.001):
            counted.append(1)

    thread = threading.Thread(target=count)
    thread.start()
    session.run(batch)
    done.set()
    thread.join()
    assert len(counted) >= 5


def test_new_shapes_begin_anew_before_they_fill_the_memory(session, monkeypatch, network):
    monkeypatch.setattr(openvino_session, "_MOST_SHAPES", 3)
    batches = [pyramid(100 + 8 * step, 100) for step in range(8)]
    for batch in [*batches, *batches]:
        np.testing.assert_allclose(session.run(batch), reference(network, batch), atol=5e-5)
        assert len(session._shapes) <= 3


def test_a_failed_run_says_which_input_and_the_next_run_works(session):
    with pytest.raises(ModelError, match=r"mmod.* failed on input \(1, 4, 100, 100\)"):
        session.run(np.zeros((1, 4, 100, 100), np.float32))
    with pytest.raises(ModelError, match=r"\(1, 3, 3, 3\)"):
        session.run(np.zeros((1, 3, 3, 3), np.float32))
    assert session.run(pyramid(160, 160)).shape == (1, 1, 17, 17)


def test_a_file_that_is_no_network_is_refused_by_name(network, tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(network.read_bytes()[:5000])
    with pytest.raises(WeightsError, match=r"broken\.onnx: OpenVINO cannot load it"):
        OpenVinoSession(broken, threads=1, precision=EXACT)


def test_a_missing_package_is_named_with_its_extra(network, monkeypatch):
    importing = builtins.__import__

    def without_openvino(name, *rest, **named):
        if name == "openvino":
            raise ModuleNotFoundError("No module named 'openvino'")
        return importing(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_openvino)
    with pytest.raises(DeviceError, match=r"No module named 'openvino'; install faced-service\[openvino\]"):
        OpenVinoSession(network, threads=1, precision=EXACT)


def test_memory_that_cannot_be_had_is_an_out_of_memory_and_the_next_run_works(network):
    code = f"""
import resource
from pathlib import Path
import numpy as np
from faced_models.errors import OutOfMemory
from faced_models.openvino_session import OpenVinoSession
from faced_proto.types import Precision
session = OpenVinoSession(Path({str(network)!r}), threads=1, precision=Precision.EXACT)
small = np.zeros((1, 3, 160, 160), np.float32)
session.run(small)
large = np.zeros((1, 3, 4000, 4000), np.float32)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 60_000_000,) * 2)
try:
    session.run(large)
except OutOfMemory as error:
    print(type(error).__name__, "mmod" in str(error))
print(session.run(small).shape)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "OutOfMemory True\n(1, 1, 17, 17)\n", done.stderr[-2000:]
