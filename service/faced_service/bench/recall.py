"""Milliseconds, precision and recall on labelled pictures beside dlib's HOG, at equal smallest face."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from faced_models.bundle import load_detector
from faced_models.dlib_detector import HogDetector
from faced_models.scale import WINDOW_PX, ScanPlan
from faced_proto.types import Detection, Precision, RgbImage
from faced_service.bench import arguments as flags
from faced_service.bench.imglab import LabelledPicture, read_imglab
from faced_service.bench.picture import read_picture
from faced_service.bench.scoring import accuracy, judge

# Both detectors were trained with a margin of 1: what scores below -1 is as sure as can be no face.
_LOWEST_SCORE = -1.0

Find = Callable[[RgbImage, float], tuple[Detection, ...]]


@dataclass(frozen=True, slots=True)
class RecallRow:
    """One detector at one scale. `ms` is the median of a picture, scores above 0, as precision and recall are.

    Labelled faces count from `min_face_px`, the smallest that this row can find; `ap50` is the average precision (IoU
    of at least 0.5) over all scores above -1.
    """

    detector: str
    upsample: int
    min_face_px: int
    pictures: int
    faces: int
    ms: float
    precision: float
    recall: float
    ap50: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the pictures are, and what runs ours."""
    parser.add_argument("--data", type=Path, required=True, help="folder with training.xml, or such a file (imglab's)")
    parser.add_argument("--precision", type=Precision, default=Precision.EXACT, help="exact or fast")
    parser.add_argument("--backend", default="auto", help="auto, ort, openvino (default: auto)")
    flags.add_device(parser)
    flags.add_threads(parser)
    flags.add_rounds(parser)


def run(arguments: argparse.Namespace) -> list[RecallRow]:
    """Ours upsampled 0, 1 and 2 times, dlib's HOG 0 and 1 times.

    Raises:
        ValueError: the pictures or their labels cannot be read.
    """
    labelled = read_imglab(arguments.data / "training.xml" if arguments.data.is_dir() else arguments.data)
    pictures = [read_picture(one.path) for one in labelled]
    ours = load_detector(
        backend=arguments.backend,
        device=arguments.device,
        precision=arguments.precision,
        cpu_threads=arguments.threads,
    )
    hog = HogDetector()

    def with_ours(upsample: int) -> Find:
        plan = ScanPlan(upsample, 1.0, 0, 2.0**upsample, WINDOW_PX / 2.0**upsample)
        return lambda picture, threshold: ours.detect([picture], plan, [threshold])[0]

    def with_hog(upsample: int) -> Find:
        return lambda picture, threshold: hog.detect(picture, upsample, threshold)

    finders = [(upsample, "ours", with_ours(upsample)) for upsample in (0, 1, 2)]
    finders += [(upsample, "dlib HOG", with_hog(upsample)) for upsample in (0, 1)]
    return [
        measure(name, upsample, find, labelled, pictures, arguments.rounds)
        for upsample, name, find in sorted(finders, key=lambda finder: finder[0])
    ]


def measure(
    name: str,
    upsample: int,
    find: Find,
    labelled: Sequence[LabelledPicture],
    pictures: Sequence[RgbImage],
    rounds: int,
) -> RecallRow:
    """One row; `find` gives the faces of a picture above a threshold.

    Raises:
        ValueError: no label is large enough to count.
    """
    smallest = WINDOW_PX >> upsample
    judged = [
        judge(find(picture, _LOWEST_SCORE), one.labels, smallest)
        for one, picture in zip(labelled, pictures, strict=True)
    ]
    times = []
    for _ in range(rounds):
        for picture in pictures:
            start = time.perf_counter()
            find(picture, 0.0)
            times.append(time.perf_counter() - start)
    figures = accuracy(judged, 0.0)
    return RecallRow(
        detector=name,
        upsample=upsample,
        min_face_px=smallest,
        pictures=len(pictures),
        faces=figures.faces,
        ms=round(statistics.median(times) * 1e3, 2),
        precision=round(figures.precision, 4),
        recall=round(figures.recall, 4),
        ap50=round(figures.ap50, 4),
    )
