"""The only importer of ONNX Runtime: a verified network, ready to run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from faced_models.errors import DeviceError, ModelError, OutOfMemory, WeightsError

# What ONNX Runtime, CUDA, cuBLAS, cuDNN and C++ say; ONNX Runtime has no error of its own for it.
_OUT_OF_MEMORY = (
    "failed to allocate memory",
    "smaller than requested bytes",
    "out of memory",
    "alloc_failed",
    "bad_alloc",
)

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OrtSession:
    """A `Session` on ONNX Runtime."""

    def __init__(self, path: Path, *, device: str, threads: int) -> None:
        """Load the ONNX file on `device` ("cpu", "cuda", "cuda:N") with `threads` CPU threads.

        Raises:
            DeviceError: the device cannot be used.
            WeightsError: the file is no network that ONNX Runtime can load.
        """
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Several sessions share the cores: threads that spin between runs take them from each other.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(str(path), options, providers=[_provider(device)])
        except DeviceError:
            raise
        except Exception as error:  # ONNX Runtime has no common base class for its errors
            raise WeightsError(f"{path.name}: ONNX Runtime cannot load it: {error}") from error
        self._name = path.stem
        # The arena keeps memory of every size it ever served, and frames come in any size. So it gives back what is
        # unused after each run whose shape is not that of the run before: equal frames in a row keep theirs.
        self._shrinking = ort.RunOptions()
        self._shrinking.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self._last_shape: tuple[int, ...] | None = None
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Session`."""
        options = None if batch.shape == self._last_shape else self._shrinking
        self._last_shape = batch.shape
        try:
            result: NDArray[np.float32] = self._session.run([self._output], {self._input: batch}, options)[0]
        except Exception as error:  # as above
            kind = OutOfMemory if _lacks_memory(error) else ModelError
            raise kind(f"{self._name} failed on input {batch.shape}: {error}") from error
        return result


def _lacks_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(text in str(error).lower() for text in _OUT_OF_MEMORY)


def _provider(device: str) -> str | tuple[str, Mapping[str, object]]:
    kind, _, index = device.partition(":")
    provider = _PROVIDERS.get(kind)
    if provider is None:
        raise DeviceError(f"unknown device {device!r}: expected auto, cpu, cuda or cuda:N")
    if provider not in ort.get_available_providers():
        raise DeviceError(
            f"device {device!r} cannot be used: this ONNX Runtime ({ort.__version__}) has no {provider}; "
            "install faced-service[gpu] in place of [cpu]"
        )
    return (provider, {"device_id": int(index or 0), "use_tf32": 0}) if kind == "cuda" else provider
