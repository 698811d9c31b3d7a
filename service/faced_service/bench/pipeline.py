"""Milliseconds of each stage on the way of a frame, one after the other in one thread, for 1, 4 and 16 faces."""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass
from typing import TypeVar

import cv2

from faced_models.bundle import Models, load_models
from faced_models.detector import MmodDetector
from faced_models.scale import ScanPlan
from faced_service.bench import arguments as flags
from faced_service.bench.picture import picture_with_faces
from faced_service.images import EncodedImage, Picture, decode

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PipelineRow:
    """Median milliseconds of every stage for one picture with `faces` faces; `total` is the sum of the medians."""

    faces: int
    size: str
    decode: float
    pyramid: float
    network: float
    nms: float
    landmarks: float
    crops: float
    attributes: dict[str, float]
    total: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Threads, device and rounds."""
    flags.add_threads(parser)
    flags.add_rounds(parser)
    flags.add_device(parser)


def run(arguments: argparse.Namespace) -> list[PipelineRow]:
    """A row for each number of faces."""
    models = load_models(device=arguments.device, cpu_threads=arguments.threads)
    return [measure(models, faces, max(arguments.rounds, 10)) for faces in (1, 4, 16)]


class _Stopwatch:
    """Collects the duration of each stage over the rounds."""

    def __init__(self) -> None:
        self._times: dict[str, list[float]] = {}
        self._last = 0.0

    def start(self) -> None:
        self._last = time.perf_counter()

    def lap(self, stage: str, value: T) -> T:
        now = time.perf_counter()
        self._times.setdefault(stage, []).append(now - self._last)
        self._last = time.perf_counter()
        return value

    def medians(self) -> dict[str, float]:
        return {stage: round(statistics.median(times) * 1e3, 2) for stage, times in self._times.items()}


def measure(models: Models, faces: int, rounds: int) -> PipelineRow:
    """Medians of `rounds` runs over a JPEG with `faces` faces (1, 4, 9, 16, ...), after two runs to warm up.

    Raises:
        ValueError: the detector has no stages to measure (dlib), or did not find the faces.
    """
    detector = models.detector
    if not isinstance(detector, MmodDetector):
        raise ValueError(f"backend {detector.engine.backend} has no stages that can be measured")
    picture = picture_with_faces(faces)
    encoded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
    plan = ScanPlan(0, 1.0, 0, 1.0, 80.0)
    watch = _Stopwatch()
    found = 0
    for round_ in range(rounds + 2):
        if round_ == 2:
            watch = _Stopwatch()
        watch.start()
        image = watch.lap("decode", decode(Picture(EncodedImage(encoded)), max_pixels=40_000_000))
        prepared = watch.lap("pyramid", detector.prepare([image], plan))
        scores = watch.lap("network", detector.score(prepared))
        detections = watch.lap("nms", detector.locate(scores, prepared, [0.0])[0])
        boxes = [detection.box for detection in detections]
        landmarks = watch.lap("landmarks", models.aligner.landmarks(image, boxes))
        recipes = {network.recipe for network in models.classifiers.values()}
        crops = watch.lap(
            "crops", {recipe: models.aligner.crops(image, boxes, landmarks, recipe) for recipe in recipes}
        )
        for name, network in models.classifiers.items():
            watch.lap(name, network.classify(crops[network.recipe]))
        found = len(boxes)
    if found != faces:
        raise ValueError(f"the picture holds {faces} faces, and {found} were found")
    medians = watch.medians()
    return PipelineRow(
        faces=faces,
        size=f"{picture.shape[1]}x{picture.shape[0]}",
        decode=medians["decode"],
        pyramid=medians["pyramid"],
        network=medians["network"],
        nms=medians["nms"],
        landmarks=medians["landmarks"],
        crops=medians["crops"],
        attributes={name: medians[name] for name in models.classifiers},
        total=round(sum(medians.values()), 2),
    )
