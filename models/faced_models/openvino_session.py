"""The only importer of OpenVINO: a verified network on the CPU, in float32 or bfloat16."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from faced_models.errors import DeviceError, ModelError, OutOfMemory, WeightsError
from faced_proto.types import Precision

_OUT_OF_MEMORY = ("failed to allocate", "bad_alloc", "out of memory")

_PRECISIONS = {Precision.EXACT: "f32", Precision.FAST: "bf16"}

_MOST_SHAPES = 32
"""OpenVINO keeps what it prepared for every shape ever seen, 0.6 MB each; after so many it begins anew (50 ms)."""


class OpenVinoSession:
    """A `Session` on OpenVINO. Runs from several threads take turns: each has all threads to itself."""

    def __init__(self, path: Path, *, threads: int, precision: Precision) -> None:
        """Load the ONNX file: `exact` in float32, `fast` in bfloat16.

        Raises:
            DeviceError: OpenVINO is missing, or the CPU does not have the precision.
            WeightsError: the file is no network that OpenVINO can load.
        """
        try:
            import openvino
        except ImportError as error:
            raise DeviceError(f"backend openvino cannot be used: {error}; install faced-service[openvino]") from error
        core = openvino.Core()
        if precision is Precision.FAST and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise DeviceError("precision 'fast' cannot be had: OpenVINO finds no bfloat16 instructions on this CPU")
        self._core = core
        self._settings = {
            "INFERENCE_PRECISION_HINT": _PRECISIONS[precision],
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            # Pinned threads of several processes would share the first cores.
            "ENABLE_CPU_PINNING": False,
        }
        self._name = path.stem
        self._lock = Lock()
        self._shapes: set[tuple[int, ...]] = set()
        try:
            self._network = core.read_model(str(path))
            self._compile()
        except RuntimeError as error:
            raise WeightsError(f"{path.name}: OpenVINO cannot load it: {_reason(error)}") from error

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Session`."""
        with self._lock:
            try:
                if batch.shape not in self._shapes and len(self._shapes) >= _MOST_SHAPES:
                    self._compile()
                self._shapes.add(batch.shape)
                # Not `infer`: without memory it says nothing, and the output is that of the run before (2026.4).
                self._request.start_async({0: batch}, share_inputs=True)
                self._request.wait()
                # The next run writes to the same memory.
                result: NDArray[np.float32] = self._request.get_output_tensor(0).data.copy()
            except (RuntimeError, MemoryError) as error:
                kind = OutOfMemory if _lacks_memory(error) else ModelError
                raise kind(f"{self._name} failed on input {batch.shape}: {_reason(error)}") from error
        return result

    def _compile(self) -> None:
        """One compiled network for all shapes: as fast as one for each, and ready at once for a new one."""
        self._request = self._core.compile_model(self._network, "CPU", self._settings).create_infer_request()
        self._shapes.clear()


def _lacks_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(text in str(error).lower() for text in _OUT_OF_MEMORY)


def _reason(error: Exception) -> str:
    """OpenVINO's last words; the lines before are its source files."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
