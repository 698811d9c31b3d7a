"""Which engine runs the detector, and where: one pure choice over what this process can use."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType

from faced_models.errors import DeviceError
from faced_models.ort_session import CUDA_PROVIDER, available_providers
from faced_proto.types import Precision

ONNX_RUNTIME, OPENVINO, DLIB = "onnxruntime", "openvino", "dlib"

# What can be asked for; None leaves the choice to us. An engine's own name is what replies call it.
_BACKENDS: Mapping[str, str | None] = MappingProxyType(
    {"auto": None, "ort": ONNX_RUNTIME, ONNX_RUNTIME: ONNX_RUNTIME, OPENVINO: OPENVINO, DLIB: DLIB}
)
_BF16_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})


@dataclass(frozen=True, slots=True)
class Available:
    """What this process can use: ONNX Runtime's providers, how many NVIDIA GPUs (None: not known), OpenVINO's version
    (None: not installed), and whether the CPU multiplies bfloat16.
    """

    providers: tuple[str, ...]
    cuda_devices: int | None
    openvino: str | None
    bf16: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine, its device ("cpu", "cuda:N") and precision; `notices` say what is not as could be hoped for."""

    backend: str
    device: str
    precision: Precision
    notices: tuple[str, ...] = ()


def choose(device: str, backend: str, precision: Precision, available: Available) -> Choice:
    """`device`: auto, cpu, cuda or cuda:N; `backend`: auto, ort, openvino or dlib. "auto" is the fastest that runs.

    Raises:
        DeviceError: what was asked for by name cannot run; says why.
    """
    cuda = re.fullmatch(r"cuda(?::(\d+))?", device)
    if cuda is None and device not in ("auto", "cpu"):
        raise DeviceError(f"unknown device {device!r}: expected auto, cpu, cuda or cuda:N")
    if backend not in _BACKENDS:
        raise DeviceError(f"unknown backend {backend!r}: expected auto, ort, openvino or dlib")
    engine = _BACKENDS[backend]
    if engine in (OPENVINO, DLIB):
        if cuda is not None:
            raise DeviceError(f"backend {backend!r} runs on the CPU only, not on {device!r}")
        return _dlib(precision) if engine == DLIB else _openvino(precision, available)
    if cuda is not None:
        index = int(cuda[1] or 0)
        lack = _lack_of_cuda(index, available)
        if lack is not None:
            raise DeviceError(f"device {device!r} cannot be used: {lack}")
        return Choice(ONNX_RUNTIME, f"cuda:{index}", precision)
    notices: tuple[str, ...] = ()
    if device == "auto" and CUDA_PROVIDER in available.providers:
        lack = _lack_of_cuda(0, available)
        if lack is None:
            return Choice(ONNX_RUNTIME, "cuda:0", precision)
        notices = (f"running on the CPU: {lack}",)
    if precision is Precision.EXACT:
        return Choice(ONNX_RUNTIME, "cpu", precision, notices)
    if engine == ONNX_RUNTIME:
        raise DeviceError("precision 'fast' cannot be had: on the CPU ONNX Runtime computes exactly; use openvino")
    return Choice(OPENVINO, "cpu", _openvino(precision, available).precision, notices)


def probe() -> Available:
    """Look around; loads no engine and starts nothing on a GPU."""
    providers = available_providers()
    return Available(
        providers=providers,
        cuda_devices=_count_gpus() if CUDA_PROVIDER in providers else None,
        openvino=_installed("openvino"),
        bf16=not _BF16_FLAGS.isdisjoint(_cpu_flags()),
    )


def _dlib(precision: Precision) -> Choice:
    if precision is not Precision.EXACT:
        raise DeviceError(f"precision {precision.value!r} cannot be had: backend 'dlib' computes exactly only")
    return Choice(DLIB, "cpu", precision)


def _openvino(precision: Precision, available: Available) -> Choice:
    wish = "backend 'openvino'" if precision is Precision.EXACT else f"precision {precision.value!r}"
    if available.openvino is None:
        raise DeviceError(f"{wish} cannot be had: the package openvino is missing; install faced-service[openvino]")
    if precision is not Precision.EXACT and not available.bf16:
        raise DeviceError(f"{wish} cannot be had: this CPU has no bfloat16 instructions (AMX or AVX512_BF16)")
    return Choice(OPENVINO, "cpu", precision)


def _lack_of_cuda(index: int, available: Available) -> str | None:
    """Why GPU `index` cannot be used, as far as can be told beforehand."""
    if CUDA_PROVIDER not in available.providers:
        return f"this ONNX Runtime has no {CUDA_PROVIDER}; install faced-service[gpu] in place of [cpu]"
    count = available.cuda_devices
    if count == 0:
        return "there is no NVIDIA GPU, or its driver (libcuda.so.1) does not answer"
    if count is not None and index >= count:
        return f"there {'is' if count == 1 else 'are'} {count} NVIDIA GPU{'' if count == 1 else 's'}, counted from 0"
    return None


def _count_gpus() -> int:
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int()
    failed = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    return 0 if failed else count.value


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu_flags() -> frozenset[str]:
    """x86 instruction sets by Linux's names; none elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.partition(":")[2] for line in lines if line.startswith("flags")), "").split())
