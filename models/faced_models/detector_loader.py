"""A choice of engine to a detector that is ready to run."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from faced_models.boxes import Overlap
from faced_models.convert.onnx_split import split_network
from faced_models.detector import Detector, MmodDetector, MmodOptions
from faced_models.detector_fit import detector_misfits
from faced_models.device import DLIB, ONNX_RUNTIME, OPENVINO, Choice, choose, probe
from faced_models.dlib_detector import DlibDetector
from faced_models.errors import DeviceError, WeightsError
from faced_models.fused_detector import FusedDetector
from faced_models.fused_graph import FusedGraphs
from faced_models.guarded_detector import GuardedDetector
from faced_models.kernels import load_kernels
from faced_models.network_entry import NetworkEntry
from faced_models.openvino_session import OpenVinoSession
from faced_models.ort_session import OrtSession
from faced_models.session import Session
from faced_models.store import verified_path, verified_reference
from faced_models.team import Team
from faced_models.winograd import WinogradLayer
from faced_models.winograd_session import WinogradSession
from faced_proto.types import Engine, ModelInfo, Precision


class DetectorLoader:
    """Loads the detector that the manifest describes, as often as wanted; `threads` CPU threads for each.

    `gpu_memory_bytes` bounds what one session takes on a GPU; None: all there is.
    """

    def __init__(self, entry: NetworkEntry, info: ModelInfo, *, threads: int, gpu_memory_bytes: int | None) -> None:
        self._entry = entry
        self._info = info
        self._threads = threads
        self._team = Team(threads)
        self._gpu_memory_bytes = gpu_memory_bytes

    def settle(self, device: str, backend: str, precision: Precision) -> Choice:
        """As `choose`, and proved: a GPU's libraries may be missing though the GPU is there.

        Raises:
            DeviceError: what was asked for by name cannot run; says why.
            WeightsError: as `load`, or an operator's detector is not what its entry says.
        """
        if self._entry.source is None:
            self._check_fit()
        available = probe()
        choice = choose(device, backend, precision, available)
        if choice.device == "cpu":
            return choice
        try:
            self._ort(choice, verified_path(self._entry))
        except DeviceError as error:
            if device != "auto":
                raise
            return replace(choose("cpu", backend, precision, available), notices=(f"running on the CPU: {error}",))
        return choice

    def load(self, choice: Choice) -> Detector:
        """The detector of `choice`.

        Raises:
            DeviceError: the engine cannot be used; says why.
            WeightsError: the weights are missing, altered or no detector's.
        """
        if choice.precision is Precision.EXACT:
            return self._load(choice)
        backend = choice.backend if choice.device != "cpu" else ONNX_RUNTIME
        exact = self._load(replace(choice, backend=backend, precision=Precision.EXACT))
        return GuardedDetector(self._load(choice), exact)

    def _load(self, choice: Choice) -> Detector:
        entry, info = self._entry, self._info
        engine = Engine(choice.device, choice.backend, choice.precision, info.model)
        if choice.backend == DLIB:
            return DlibDetector(verified_reference(entry), info, engine)
        if entry.input is None or entry.options is None:
            raise WeightsError(f"network {entry.name!r} is no detector")
        path = verified_path(entry)
        options = MmodOptions(
            windows=entry.options.windows_of(entry.input.size),
            overlaps=Overlap(entry.options.iou, entry.options.percent_covered),
            means=np.array(entry.input.mean, np.float32),
            padding=entry.options.pyramid_padding,
            outer_padding=entry.options.pyramid_outer_padding,
        )
        if choice.device != "cpu":
            graphs = FusedGraphs(path.read_bytes(), options.means)
            return FusedDetector(graphs, partial(self._ort, choice), options, load_kernels(), info, engine)
        session: Session
        if choice.backend == OPENVINO:
            session = OpenVinoSession(path, threads=self._threads, precision=choice.precision)
        else:
            session = self._split(choice, path)
        return MmodDetector(session, options, load_kernels(), info, engine, self._team)

    def _check_fit(self) -> None:
        """An operator's detector may be anything."""
        try:
            session = OrtSession(verified_path(self._entry), device="cpu", threads=self._threads)
        except WeightsError as error:
            raise self._entry.wrong(str(error)) from error
        found = detector_misfits(self._entry, session.signature, session)
        if found:
            raise self._entry.wrong(f"{Path(self._entry.file).name} does not fit: {'; '.join(found)}")

    def _split(self, choice: Choice, path: Path) -> Session:
        """The network, its first 5x5 convolutions in loops of our own, where it has any."""
        parts, kernels = split_network(path.read_bytes()), load_kernels()
        rows = kernels.tile_rows
        if parts is None or rows is None:
            return self._ort(choice, path)
        layers = [WinogradLayer.of(part.weights, part.bias, part.stride, rows) for part in parts.layers]
        return WinogradSession(path.stem, layers, self._ort(choice, parts.tail), kernels, self._team)

    def _ort(self, choice: Choice, network: Path | bytes) -> OrtSession:
        return OrtSession(
            network,
            device=choice.device,
            threads=self._threads,
            exact=choice.precision is Precision.EXACT,
            gpu_memory_bytes=self._gpu_memory_bytes,
        )
