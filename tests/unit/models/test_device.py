import subprocess
import sys

import pytest

from faced_models import detector_loader, device
from faced_models.bundle import load_models
from faced_models.device import Available, Choice, choose, probe
from faced_models.errors import DeviceError
from faced_models.ort_session import cuda_options
from faced_proto.types import Precision

EXACT, FAST = Precision.EXACT, Precision.FAST

CPU_BUILD, GPU_BUILD = ("CPUExecutionProvider",), ("CUDAExecutionProvider", "CPUExecutionProvider")
PLAIN = Available(CPU_BUILD, None, None, False)
BF16 = Available(CPU_BUILD, None, "2026.1", True)
OLD_CPU = Available(CPU_BUILD, None, "2026.1", False)
NO_OPENVINO = Available(CPU_BUILD, None, None, True)
ONE_GPU = Available(GPU_BUILD, 1, "2026.1", True)
TWO_GPUS = Available(GPU_BUILD, 2, None, False)
NO_DRIVER = Available(GPU_BUILD, 0, "2026.1", True)
NOT_COUNTED = Available(GPU_BUILD, None, None, False)

RUNS = [
    # device, backend, precision, available; backend, device that run
    ("auto", "auto", EXACT, PLAIN, "onnxruntime", "cpu"),
    ("auto", "auto", EXACT, BF16, "onnxruntime", "cpu"),
    ("auto", "auto", FAST, BF16, "openvino", "cpu"),
    ("cpu", "auto", FAST, BF16, "openvino", "cpu"),
    ("cpu", "auto", EXACT, ONE_GPU, "onnxruntime", "cpu"),
    ("cpu", "ort", EXACT, PLAIN, "onnxruntime", "cpu"),
    ("cpu", "onnxruntime", EXACT, PLAIN, "onnxruntime", "cpu"),
    ("cpu", "openvino", EXACT, OLD_CPU, "openvino", "cpu"),
    ("auto", "openvino", EXACT, ONE_GPU, "openvino", "cpu"),
    ("auto", "openvino", FAST, ONE_GPU, "openvino", "cpu"),
    ("auto", "dlib", EXACT, ONE_GPU, "dlib", "cpu"),
    ("auto", "auto", EXACT, ONE_GPU, "onnxruntime", "cuda:0"),
    ("auto", "ort", EXACT, ONE_GPU, "onnxruntime", "cuda:0"),
    ("auto", "auto", FAST, ONE_GPU, "onnxruntime", "cuda:0"),
    ("cuda", "auto", EXACT, ONE_GPU, "onnxruntime", "cuda:0"),
    ("cuda:1", "ort", FAST, TWO_GPUS, "onnxruntime", "cuda:1"),
    ("cuda:7", "auto", EXACT, NOT_COUNTED, "onnxruntime", "cuda:7"),
]

REFUSED = [
    ("tpu", "auto", EXACT, BF16, "unknown device 'tpu'"),
    ("cuda:x", "auto", EXACT, ONE_GPU, "unknown device 'cuda:x'"),
    ("cuda:-1", "auto", EXACT, ONE_GPU, "unknown device 'cuda:-1'"),
    ("", "auto", EXACT, BF16, "unknown device ''"),
    ("cpu", "torch", EXACT, BF16, "unknown backend 'torch'"),
    ("cuda", "auto", EXACT, BF16, r"no CUDAExecutionProvider; install faced-service\[gpu\]"),
    ("cuda", "auto", EXACT, NO_DRIVER, "no NVIDIA GPU, or its driver"),
    ("cuda:1", "auto", EXACT, ONE_GPU, "'cuda:1' cannot be used: there is 1 NVIDIA GPU, counted from 0"),
    ("cuda:2", "auto", EXACT, TWO_GPUS, "there are 2 NVIDIA GPUs"),
    ("cuda", "openvino", EXACT, ONE_GPU, "'openvino' runs on the CPU only, not on 'cuda'"),
    ("cuda", "dlib", EXACT, ONE_GPU, "'dlib' runs on the CPU only"),
    ("cpu", "dlib", FAST, BF16, "'dlib' computes exactly only"),
    ("cpu", "ort", FAST, BF16, "use openvino"),
    ("cpu", "openvino", EXACT, PLAIN, r"install faced-service\[openvino\]"),
    ("auto", "auto", FAST, NO_OPENVINO, "'fast' cannot be had: the package openvino is missing"),
    ("auto", "auto", FAST, OLD_CPU, "'fast' cannot be had: this CPU has no bfloat16"),
    ("cpu", "openvino", FAST, OLD_CPU, "no bfloat16"),
]


@pytest.mark.parametrize(("asked", "backend", "precision", "available", "runs_by", "runs_on"), RUNS)
def test_what_can_run_is_chosen_without_a_notice(asked, backend, precision, available, runs_by, runs_on):
    assert choose(asked, backend, precision, available) == Choice(runs_by, runs_on, precision, ())


@pytest.mark.parametrize(("asked", "backend", "precision", "available", "reason"), REFUSED)
def test_what_cannot_run_is_refused_with_its_reason(asked, backend, precision, available, reason):
    with pytest.raises(DeviceError, match=reason):
        choose(asked, backend, precision, available)


@pytest.mark.parametrize(("precision", "backend"), [(EXACT, "onnxruntime"), (FAST, "openvino")])
def test_auto_says_that_the_gpu_it_was_installed_for_is_not_there(precision, backend):
    choice = choose("auto", "auto", precision, NO_DRIVER)
    assert (choice.backend, choice.device, choice.precision) == (backend, "cpu", precision)
    assert choice.notices == (
        "running on the CPU: there is no NVIDIA GPU, or its driver (libcuda.so.1) does not answer",
    )


def test_the_cpu_that_was_asked_for_is_no_reason_for_a_notice():
    assert choose("cpu", "auto", EXACT, NO_DRIVER).notices == ()


def test_the_probe_finds_what_runs_these_tests():
    found = probe()
    assert "CPUExecutionProvider" in found.providers
    assert choose("cpu", "auto", EXACT, found).backend == "onnxruntime"


def test_instruction_sets_are_read_as_linux_names_them(monkeypatch):
    for flags, expected in (
        ({"avx2", "avx512_bf16"}, True),
        ({"amx_bf16"}, True),
        ({"avx512f"}, False),
        (set(), False),
    ):
        monkeypatch.setattr(device, "_cpu_flags", lambda flags=flags: frozenset(flags))
        assert probe().bf16 is expected


def test_a_gpu_that_does_not_start_leaves_auto_on_the_cpu_and_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(detector_loader, "probe", lambda: ONE_GPU)
    models = load_models(attributes=[], cpu_threads=1)
    assert models.detector.engine.device == "cpu"
    (notice,) = models.notices
    assert notice.startswith("running on the CPU: device 'cuda:0' cannot be used: ")
    with pytest.raises(DeviceError, match="'cuda:0' cannot be used"):
        load_models(attributes=[], device="cuda", cpu_threads=1)


def test_cuda_computes_in_full_precision_and_grows_only_by_what_is_asked():
    options = cuda_options(1, exact=True, memory_bytes=2**30)
    assert options == {
        "device_id": "1",
        "use_tf32": "0",
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
        "gpu_mem_limit": "1073741824",
    }


def test_cuda_without_a_limit_takes_what_there_is_and_fast_means_tf32():
    options = cuda_options(0, exact=False, memory_bytes=None)
    assert "gpu_mem_limit" not in options
    assert options["use_tf32"] == "1"


def test_choosing_imports_no_engine_but_onnx_runtime():
    code = "import sys, faced_models.device as d; d.probe(); print({'openvino', 'dlib', 'numba'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "set()\n"
