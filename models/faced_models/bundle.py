"""All networks of a server, built once and passed down."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from faced_models.age_groups import age_group_axis
from faced_models.aligner import Aligner, load_cascade
from faced_models.boxes import Overlap
from faced_models.classifier import Classifier, InputFormat
from faced_models.detector import Detector, MmodDetector, MmodOptions
from faced_models.dlib_detector import DlibDetector
from faced_models.errors import DeviceError, WeightsError
from faced_models.kernels import load_kernels
from faced_models.manifest import Manifest, NetworkEntry, load_manifest
from faced_models.ort_session import OrtSession
from faced_models.scale import WINDOW_PX, ScanPlan
from faced_models.store import verified_path, verified_reference
from faced_proto.types import Box, Engine, ModelInfo, ModelRole, Precision

BACKENDS = ("auto", "ort", "dlib")

_AGE, _AGE_GROUP = "age", "age_group"


@dataclass(frozen=True)
class Models:
    """Everything that looks at pixels. `classifiers` are by attribute; `notices` say what is not as hoped for.

    `spare_detector` is one on the CPU, for when the device that "auto" chose has no memory left; None where there is
    no other device, or it was asked for by name.
    """

    detector: Detector
    aligner: Aligner
    classifiers: Mapping[str, Classifier]
    notices: tuple[str, ...] = ()
    spare_detector: Detector | None = None

    @property
    def attributes(self) -> tuple[str, ...]:
        """What can be asked for, derived ones included."""
        return tuple(info.attribute for info in self.infos if info.attribute)

    @property
    def infos(self) -> tuple[ModelInfo, ...]:
        """Detector, landmarks, then attributes; "age_group" follows the network it is derived from."""
        infos = [self.detector.info, self.aligner.info]
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
            self.detector.detect([np.zeros((height, width, 3), np.uint8)], plan, [0.0])
        picture = np.zeros((300, 300, 3), np.uint8)
        boxes = [Box(100.0, 100.0, 200.0, 200.0)]
        landmarks = self.aligner.landmarks(picture, boxes)
        for classifier in self.classifiers.values():
            classifier.classify(self.aligner.crops(picture, boxes, landmarks, classifier.recipe))


def load_models(
    *,
    attributes: Collection[str] | None = None,
    backend: str = "auto",
    device: str = "auto",
    precision: Precision = Precision.EXACT,
    cpu_threads: int | None = None,
) -> Models:
    """Load and verify the networks; `attributes` None = all, else only those that these need.

    Raises:
        WeightsError: weights are missing or altered; names the file.
        DeviceError: the device or backend cannot be used; says why.
        ValueError: an attribute that there is no network for.
    """
    manifest = load_manifest()
    wanted = set(manifest.attributes) if attributes is None else {_network_of(name) for name in attributes}
    unknown = sorted(wanted - set(manifest.attributes))
    if unknown:
        raise ValueError(f"no network for attribute {unknown[0]!r}; there are {', '.join(manifest.attributes)}")
    threads = cpu_threads or os.cpu_count() or 1
    used = _device(device)
    return Models(
        detector=load_detector(
            backend=backend, device=device, precision=precision, cpu_threads=threads, manifest=manifest
        ),
        aligner=load_aligner(manifest),
        classifiers={
            name: _classifier(entry, used, threads) for name, entry in manifest.attributes.items() if name in wanted
        },
    )


def load_detector(
    *,
    backend: str = "auto",
    device: str = "auto",
    precision: Precision = Precision.EXACT,
    cpu_threads: int | None = None,
    manifest: Manifest | None = None,
) -> Detector:
    """The detector alone; "auto" and "ort" (also "onnxruntime") are ours, "dlib" is dlib's own, for comparison.

    Raises:
        WeightsError, DeviceError: as `load_models`.
    """
    entry = (manifest or load_manifest()).detector
    info = _info(entry)
    if precision is not Precision.EXACT:
        raise DeviceError(f"precision {precision.value!r} is not available: this version computes exactly only")
    if backend == "dlib":
        return DlibDetector(verified_reference(entry), info, Engine("cpu", "dlib", Precision.EXACT, info.model))
    if backend not in ("auto", "ort", "onnxruntime"):
        raise DeviceError(f"unknown backend {backend!r}: expected {', '.join(BACKENDS)}")
    if entry.input is None or entry.options is None:
        raise WeightsError(f"network {entry.name!r} is no detector")
    used = _device(device)
    threads = cpu_threads or os.cpu_count() or 1
    session = OrtSession(verified_path(entry), device=used, threads=threads)
    options = MmodOptions(
        window=entry.input.size,
        overlaps=Overlap(entry.options.iou, entry.options.percent_covered),
        means=np.array(entry.input.mean, np.float32),
        padding=entry.options.pyramid_padding,
        outer_padding=entry.options.pyramid_outer_padding,
    )
    engine = Engine(used, "onnxruntime", precision, info.model)
    return MmodDetector(session, options, load_kernels(), info, engine, threads=threads)


def load_aligner(manifest: Manifest | None = None) -> Aligner:
    """Landmarks and crops alone.

    Raises:
        WeightsError: as `load_models`.
    """
    entry = (manifest or load_manifest()).landmarks
    return Aligner(load_cascade(verified_path(entry)), load_kernels(), _info(entry))


def _classifier(entry: NetworkEntry, device: str, threads: int) -> Classifier:
    if entry.input is None or entry.crop is None or entry.axis is None:
        raise WeightsError(f"network {entry.name!r} describes no attribute")
    return Classifier(
        session=OrtSession(verified_path(entry), device=device, threads=threads),
        recipe=entry.crop,
        input_format=InputFormat(entry.input.grey, np.array(entry.input.mean, np.float32), entry.input.scale),
        axis=entry.axis,
        info=_info(entry),
    )


def _info(entry: NetworkEntry) -> ModelInfo:
    return ModelInfo(
        model=entry.model_id,
        role=entry.role,
        attribute=entry.attribute if entry.role is ModelRole.ATTRIBUTE else "",
        axis=entry.axis,
        calibrated=entry.calibrated,
        licence=entry.licence,
        input_size=entry.input_size,
    )


def _network_of(attribute: str) -> str:
    return _AGE if attribute == _AGE_GROUP else attribute


def _device(asked: str) -> str:
    return "cpu" if asked == "auto" else asked
