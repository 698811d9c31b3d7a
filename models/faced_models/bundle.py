"""All networks of a server, built once and passed down."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from faced_models.age_groups import age_group_axis
from faced_models.aligner import Aligner
from faced_models.classifier import Classifier
from faced_models.classifier_loader import load_classifier, model_info
from faced_models.detector import Detector
from faced_models.detector_loader import DetectorLoader
from faced_models.device import DLIB, ONNX_RUNTIME, Choice
from faced_models.joint_detector import JointDetector
from faced_models.kernels import load_kernels
from faced_models.landmark_cascade import load_cascade
from faced_models.manifest import Manifest, load_manifest
from faced_models.network_entry import NetworkEntry
from faced_models.scale import WINDOW_PX, ScanPlan
from faced_models.store import verified_path
from faced_proto.types import Box, Detection, ModelInfo, Precision

_AGE, _AGE_GROUP = "age", "age_group"
_ON_CPU = Choice(ONNX_RUNTIME, "cpu", Precision.EXACT)

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Beside:
    """A detector of other things than faces, which it finds under `labels`; `spare` as in `Models`."""

    detector: Detector
    labels: frozenset[str]
    spare: Detector | None = None


@dataclass(frozen=True)
class Models:
    """Everything that looks at pixels. `classifiers` are by attribute; `notices` say what is not as hoped for.

    `detector` finds faces, those `beside` it find other things.

    `spare_detector` is one on the CPU, for when the device that "auto" chose has no memory left; None where there is
    no other device, or it was asked for by name.
    """

    detector: Detector
    aligner: Aligner
    classifiers: Mapping[str, Classifier]
    notices: tuple[str, ...] = ()
    spare_detector: Detector | None = None
    beside: tuple[Beside, ...] = ()

    @property
    def searching(self) -> Detector:
        """All detectors as one."""
        return JointDetector(self.detector, [one.detector for one in self.beside]) if self.beside else self.detector

    @property
    def spare(self) -> Detector | None:
        """All of them on the CPU, or None as `spare_detector`."""
        if self.spare_detector is None or not self.beside:
            return self.spare_detector
        return JointDetector(self.spare_detector, [one.spare or one.detector for one in self.beside])

    def is_face(self, detection: Detection) -> bool:
        """Whether a detection is of what landmarks and attributes are for."""
        return not any(detection.label in one.labels for one in self.beside)

    @property
    def attributes(self) -> tuple[str, ...]:
        """What can be asked for, derived ones included."""
        return tuple(info.attribute for info in self.infos if info.attribute)

    @property
    def infos(self) -> tuple[ModelInfo, ...]:
        """Detectors, landmarks, then attributes; "age_group" follows the network it is derived from."""
        infos = [self.detector.info, *(one.detector.info for one in self.beside), self.aligner.info]
        for classifier in self.classifiers.values():
            infos.append(classifier.info)
            if classifier.info.attribute == _AGE:
                infos.append(replace(classifier.info, attribute=_AGE_GROUP, axis=age_group_axis()))
        return tuple(infos)

    def warm_up(self) -> None:
        """Run everything once, so that the first frame does not pay for compiling and allocating."""
        # The doubling is compiled on a small picture: a large doubled one would set the process' peak of memory.
        for (width, height), times in (((640, 480), 0), ((100, 100), 1)):
            plan = ScanPlan(times, 1.0, 0, 2.0**times, WINDOW_PX / 2.0**times)
            self.searching.detect([np.zeros((height, width, 3), np.uint8)], plan, [0.0])
        picture = np.zeros((300, 300, 3), np.uint8)
        boxes = [Box(100.0, 100.0, 200.0, 200.0)]
        landmarks = self.aligner.landmarks(picture, boxes)
        for classifier in self.classifiers.values():
            classifier.classify(self.aligner.crops(picture, boxes, landmarks, classifier.recipe))


def load_models(
    *,
    models_file: Path | None = None,
    chosen: Collection[str] = (),
    attributes: Collection[str] | None = None,
    backend: str = "auto",
    device: str = "auto",
    precision: Precision = Precision.EXACT,
    cpu_threads: int | None = None,
    gpu_memory_bytes: int | None = None,
    raw: bool = False,
) -> Models:
    """Load and verify the networks; `attributes` None = all, else only those that these need.

    `models_file` is an operator's file of networks, see `load_manifest`; `chosen` are networks by name, see
    `Manifest.choosing`. `raw` leaves out every calibration.
    `gpu_memory_bytes` bounds what a network takes on a GPU for frames of one size; None: all there is. Attribute
    networks always compute exactly, on ONNX Runtime, on the detector's device.

    Raises:
        WeightsError: weights are missing, altered or not what their entry says; names the file.
        DeviceError: the device, the backend or the precision cannot be had; says why.
        ValueError: an attribute that there is no network for.
        KeyError: `chosen` names none.
    """
    manifest = load_manifest(models_file=models_file).choosing(chosen)
    wanted = set(manifest.attributes) if attributes is None else {_network_of(name) for name in attributes}
    unknown = sorted(wanted - set(manifest.attributes))
    if unknown:
        raise ValueError(f"no network for attribute {unknown[0]!r}; there are {', '.join(manifest.attributes)}")
    threads = cpu_threads or os.cpu_count() or 1
    loader = _loader(manifest.detector, threads, gpu_memory_bytes)
    choice = loader.settle(device, backend, precision)
    # Where "auto" chose another device, nobody ruled out the CPU.
    spare = loader.load(_ON_CPU) if device == "auto" and choice.device != "cpu" else None
    return Models(
        detector=loader.load(choice),
        aligner=load_aligner(manifest),
        classifiers={
            name: load_classifier(
                entry.raw if raw else entry, device=choice.device, threads=threads, gpu_memory_bytes=gpu_memory_bytes
            )
            for name, entry in manifest.attributes.items()
            if name in wanted
        },
        notices=choice.notices,
        spare_detector=spare,
        beside=tuple(
            _load_beside(entry, choice, threads, gpu_memory_bytes, with_spare=spare is not None)
            for entry in manifest.beside
        ),
    )


def load_detector(
    entry: NetworkEntry | None = None,
    *,
    backend: str = "auto",
    device: str = "auto",
    precision: Precision = Precision.EXACT,
    cpu_threads: int | None = None,
    gpu_memory_bytes: int | None = None,
) -> Detector:
    """The detector of `entry` (None: the package's) alone.

    `backend` "ort" and "openvino" are ours, "dlib" is dlib's own, for comparison. Notices are logged.

    Raises:
        WeightsError, DeviceError: as `load_models`.
    """
    loader = _loader(entry or load_manifest().detector, cpu_threads or os.cpu_count() or 1, gpu_memory_bytes)
    choice = loader.settle(device, backend, precision)
    for notice in choice.notices:
        _logger.warning("%s", notice)
    return loader.load(choice)


def load_aligner(manifest: Manifest | None = None) -> Aligner:
    """Landmarks and crops alone.

    Raises:
        WeightsError: as `load_models`.
    """
    entry = (manifest or load_manifest()).landmarks
    return Aligner(load_cascade(verified_path(entry)), load_kernels(), model_info(entry))


def _loader(entry: NetworkEntry, threads: int, gpu_memory_bytes: int | None) -> DetectorLoader:
    return DetectorLoader(entry, model_info(entry), threads=threads, gpu_memory_bytes=gpu_memory_bytes)


def _load_beside(
    entry: NetworkEntry, choice: Choice, threads: int, gpu_memory_bytes: int | None, *, with_spare: bool
) -> Beside:
    """On the face detector's device and engine; dlib's runs its own weights alone."""
    loader = _loader(entry, threads, gpu_memory_bytes)
    backend = ONNX_RUNTIME if choice.backend == DLIB else choice.backend
    settled = loader.settle(choice.device, backend, choice.precision)
    spare = loader.load(_ON_CPU) if with_spare else None
    return Beside(loader.load(settled), frozenset(window.label for window in entry.windows), spare)


def _network_of(attribute: str) -> str:
    return _AGE if attribute == _AGE_GROUP else attribute
