"""The only importer of ONNX Runtime: a verified network, ready to run."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# Newer versions report to their makers unless told not to, and read this when they are loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime as ort

from faced_models.bound_run import bound_run
from faced_models.errors import DeviceError, ModelError, OutOfMemory, WeightsError
from faced_models.session import Signature, Tensor

# What ONNX Runtime, CUDA, cuBLAS, cuDNN and C++ say; ONNX Runtime has no error of its own for it.
_OUT_OF_MEMORY = (
    "failed to allocate memory",
    "smaller than requested bytes",
    "out of memory",
    "alloc_failed",
    "bad_alloc",
)

# The arena's first region is never given back, so runs within it neither fault pages in nor leave holes behind. It
# is address space: a page costs memory once it is used. Frames of up to 1920 x 1080 need no more.
_ARENA_BYTES = 256 << 20
# A free chunk that is larger than a request by this is split; the default of 128 MB would hand it out as a whole.
_ARENA_SPLIT_BYTES = 1 << 20

CUDA_PROVIDER = "CUDAExecutionProvider"
_CPU_PROVIDER = "CPUExecutionProvider"


def available_providers() -> tuple[str, ...]:
    """What this build of ONNX Runtime has; whether it starts here is another matter."""
    return tuple(ort.get_available_providers())


def cuda_options(index: int, *, exact: bool, memory_bytes: int | None) -> dict[str, str]:
    """Options of the CUDA provider on GPU `index`; `memory_bytes` bounds what one session takes, None: all there is.

    Not exact means TensorFloat-32: sums are as exact, factors have 10 bits after the point in place of 23.
    """
    options = {
        "device_id": str(index),
        "use_tf32": "0" if exact else "1",
        # The exhaustive search tries every algorithm, with all their memory, again for each new shape.
        "cudnn_conv_algo_search": "HEURISTIC",
        # The arena grows by what is asked for, not by powers of two.
        "arena_extend_strategy": "kSameAsRequested",
    }
    return options if memory_bytes is None else options | {"gpu_mem_limit": str(memory_bytes)}


class OrtSession:
    """A `Session` on ONNX Runtime."""

    def __init__(
        self,
        network: Path | bytes,
        *,
        device: str,
        threads: int,
        exact: bool = True,
        gpu_memory_bytes: int | None = None,
        output: str | None = None,
    ) -> None:
        """Load an ONNX file, or its bytes, on `device` ("cpu", "cuda:N") with `threads` CPU threads.

        `exact` and `gpu_memory_bytes` are for GPUs, see `cuda_options`. `output` names the output that is wanted;
        None: the first.

        Raises:
            DeviceError: the device cannot be used.
            WeightsError: the file is no network that ONNX Runtime can load.
        """
        kind, _, index = device.partition(":")
        self._on_gpu = kind == "cuda"
        self._name = network.stem if isinstance(network, Path) else "detector"
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Several sessions share the cores: threads that spin between runs take them from each other.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Patterns are kept for every shape ever seen, and ask for one block where tensors would share the arena's.
        options.enable_mem_pattern = False
        # Weights in a second file are looked for where none can be: no SHA-256 covers them.
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
        _share_arena()
        options.add_session_config_entry("session.use_env_allocators", "1")
        if self._on_gpu:
            said = _preload_cuda()
            provider, settings = (
                CUDA_PROVIDER,
                cuda_options(int(index or 0), exact=exact, memory_bytes=gpu_memory_bytes),
            )
        else:
            said, provider, settings = "", _CPU_PROVIDER, {}
        model = str(network) if isinstance(network, Path) else network
        try:
            # Without its fallback: a session that cannot run where it should must fail, not move to the CPU.
            self._session = ort.InferenceSession(
                model, options, providers=[provider], provider_options=[settings], enable_fallback=0
            )
        except Exception as error:  # ONNX Runtime has no common base class for its errors
            if self._on_gpu:
                raise DeviceError(f"device {device!r} cannot be used: {error}") from error
            if os.devnull in str(error) or "external tensors" in str(error):
                raise WeightsError(f"{self._name} has weights in a second file: save it with all in one") from error
            raise WeightsError(f"{self._name}: ONNX Runtime cannot load it: {error}") from error
        if self._session.get_providers()[0] != provider:
            raise DeviceError(f"device {device!r} cannot be used: {_why_not_cuda(said)}")
        # Beyond its first region the arena would keep what the largest frames needed. It gives that back after each
        # run whose shape is not that of the run before: equal frames in a row keep theirs.
        self._shrinking = ort.RunOptions()
        self._shrinking.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self._last_shape: tuple[int, ...] | None = None
        self._input = self._session.get_inputs()[0].name
        self._output = output or self._session.get_outputs()[0].name

    @property
    def signature(self) -> Signature:
        """What the file says of inputs and outputs; dtypes are ONNX Runtime's, such as "float" and "uint8"."""
        return Signature(_tensors(self._session.get_inputs()), _tensors(self._session.get_outputs()))

    def run(self, batch: NDArray[np.float32] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Session`; pixels where the network takes them."""
        options = None if batch.shape == self._last_shape else self._shrinking
        self._last_shape = batch.shape
        try:
            if self._on_gpu:
                # Sessions keep their memory there: they are few, and taking it anew would stop the device.
                return bound_run(self._session, batch, output=self._output)
            result: NDArray[np.float32] = self._session.run([self._output], {self._input: batch}, options)[0]
        except Exception as error:  # as above
            kind = OutOfMemory if _lacks_memory(error) else ModelError
            raise kind(f"{self._name} failed on input {batch.shape}: {error}") from error
        return result


def _tensors(nodes: Sequence[ort.NodeArg]) -> tuple[Tensor, ...]:
    return tuple(
        Tensor(node.name, node.type.removeprefix("tensor(").removesuffix(")"), tuple(node.shape)) for node in nodes
    )


@cache
def _share_arena() -> None:
    """Register the one arena of all sessions of this process: what one has done with, the next one takes."""
    memory = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    powers_of_two = 0
    ort.create_and_register_allocator(
        memory,
        ort.OrtArenaCfg(
            {
                "arena_extend_strategy": powers_of_two,
                "initial_chunk_size_bytes": _ARENA_BYTES,
                "max_dead_bytes_per_chunk": _ARENA_SPLIT_BYTES,
            }
        ),
    )


def _lacks_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(text in str(error).lower() for text in _OUT_OF_MEMORY)


def _preload_cuda() -> str:
    """Load the libraries of CUDA and cuDNN that came as packages; returns what ONNX Runtime says about it."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):  # it prints what it cannot load
        ort.preload_dlls()
    return said.getvalue().strip()


def _why_not_cuda(said: str) -> str:
    """The library that the CUDA provider lacks, else what was said when libraries were loaded."""
    library = Path(ort.__file__).parent / "capi" / "libonnxruntime_providers_cuda.so"
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        if "cannot open shared object" in str(error):
            return f"a library is missing: {error}"
    return said.splitlines()[0] if said else "the CUDA provider did not start; is the GPU's driver recent enough?"
