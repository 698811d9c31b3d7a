"""`faced eval detector`: pictures with labelled faces to a record."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np

from faced_models.bundle import Models
from faced_models.cache_folder import cache_folder
from faced_models.manifest import load_manifest
from faced_proto.types import AnalysisOptions, Box, Detection
from faced_proto.version import __version__
from faced_service.analysis_request import AnalysisRequest
from faced_service.analyzer import Analyzer
from faced_service.bench.imglab import Label, LabelledPicture, read_imglab
from faced_service.errors import ImageError
from faced_service.images import EncodedImage, Picture
from faced_service.networks import load_networks, models_file_of
from faced_service.settings import Settings, SettingsError
from faced_train.datasets.wider_face import find_wider_face, read_wider_face
from faced_train.errors import DataError
from faced_train.progress import Progress
from faced_train.record import Record, figures
from faced_train.scores.detection import SIZES, DetectionScores, left_out_by_name, names_that_count
from faced_train.scores.scorer import intervals_95

# The detector was trained with a margin of 1: what scores below -1 is as sure as can be no face.
_LOWEST_SCORE = -1.0
_AT_ONCE = 4
_KIND = "boxes with labels"
"""What the kept lines hold: files of another kind have other names."""

_Row = tuple[float, float, float, float, float, str]
"""A detection: left, top, right and bottom in pixels, score, label."""


def add_arguments(parser: argparse.ArgumentParser, _subject: str) -> None:
    """Flags of the detector."""
    parser.add_argument(
        "--path", choices=["served"], default="served", help="the server's own way is the only one for boxes"
    )
    parser.add_argument("--model", metavar="NAME", help="the detector's name, as `faced models list` has it")
    parser.add_argument(
        "--upsample", default="auto", metavar="N", help="doublings: auto (as for pictures, one that fits) or 0 to 8"
    )
    parser.add_argument("--skip-bad", action="store_true", help="leave out pictures that cannot be read")
    parser.add_argument("--fresh", action="store_true", help="do not go on where an earlier run was cut short")


def evaluate(arguments: argparse.Namespace) -> Record:
    """Average precision, precision and recall above a score of 0, by size of face.

    Where both the detector and the data have labels, a box meets those of its own label alone, and boxes that are
    labelled as the detector labels nothing are left out.

    Raises:
        DataError, SettingsError, WeightsError, DeviceError: what is wrong.
    """
    upsample = _upsample(arguments.upsample)
    pictures, kind = _open(arguments.data)
    settings = Settings(allowed_attributes=(), cpu_threads=arguments.threads, models_file=arguments.models_file)
    networks = load_networks(settings)
    models = _alone(networks.models, arguments.model)
    model = models.detector.info.model
    manifest = load_manifest(models_file=models_file_of(settings))
    names = names_that_count(manifest.network(model.partition("@")[0]).windows, pictures)
    left_out = left_out_by_name(pictures, names)
    for note in left_out:
        sys.stderr.write(f"faced eval: left out: {note}\n")
    digest = _digest(pictures)
    kept = _kept_file(f"{_KIND} {model} {upsample} {__version__} {digest}", pictures)
    if arguments.fresh:
        kept.unlink(missing_ok=True)
    analyzer = Analyzer(models, settings, known_attributes=networks.known_attributes)
    with asyncio.Runner() as runner:
        runner.run(analyzer.start())
        try:
            runner.run(_detect_all(analyzer, pictures, upsample, kept, skip_bad=arguments.skip_bad))
        finally:
            runner.run(analyzer.close())
    found = list(zip(_read(kept), pictures, strict=True))
    broken = [str(picture.path) for detections, picture in found if detections is None]
    there = [(detections, picture.labels) for detections, picture in found if detections is not None]
    kept.unlink()
    record = _figures(there, names)
    return {
        "attribute": "detector",
        "model": model,
        "path": "served",
        "upsample": arguments.upsample,
        "data": {"name": arguments.data.name, "format": kind, "sha256": digest, "left_out": left_out},
        "broken": broken,
        **record,
    }


def _alone(models: Models, name: str | None) -> Models:
    """With no other detector than that of this name; None: the first."""
    detectors = {
        one.info.model.partition("@")[0]: one for one in (models.detector, *(other.detector for other in models.beside))
    }
    chosen = next(iter(detectors)) if name is None else name
    if chosen not in detectors:
        raise SettingsError(f"there is no detector {chosen!r}; there are {', '.join(detectors)}")
    return replace(models, detector=detectors[chosen], spare_detector=None, beside=())


async def _detect_all(
    analyzer: Analyzer, pictures: Sequence[LabelledPicture], upsample: int | None, kept: Path, *, skip_bad: bool
) -> None:
    """Append what is not there yet: a JSON line for each picture."""
    done = _whole_lines(kept)
    with Progress("detector", len(pictures)) as progress, kept.open("a", encoding="utf-8") as file:
        progress.reached(done)
        for start in range(done, len(pictures), _AT_ONCE):
            chunk = pictures[start : start + _AT_ONCE]
            for found in await asyncio.gather(*(_detect(analyzer, one, upsample, skip_bad=skip_bad) for one in chunk)):
                file.write(json.dumps(found) + "\n")
            file.flush()
            progress.advance(len(chunk))


async def _detect(
    analyzer: Analyzer, picture: LabelledPicture, upsample: int | None, *, skip_bad: bool
) -> list[_Row] | None:
    options = AnalysisOptions(attributes=(), include_landmarks=False, threshold=_LOWEST_SCORE, upsample_times=upsample)
    try:
        # Labels are in the pixels of the file, whatever its EXIF says.
        image = Picture(EncodedImage(picture.path.read_bytes(), ignore_exif=True))
        request = AnalysisRequest(image, options, caller="evaluation", auto_upsample=1, patient=True)
        analysis = await analyzer.analyze(request)
    except (OSError, ImageError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        message = f"{picture.path}: cannot be read: {reason}"
        if not skip_bad:
            raise DataError(f"{message}; --skip-bad leaves it out") from error
        sys.stderr.write(f"faced eval: left out: {message}\n")
        return None
    found = [face.detection for face in analysis.faces]
    return [(*astuple(one.box), one.score, one.label) for one in found]


def _figures(there: Sequence[tuple[Sequence[Detection], Sequence[Label]]], names: Collection[str] | None) -> Record:
    scorer = DetectionScores(there, names=names)
    if not scorer.faces:
        raise DataError("no labelled face counts: all are ignored or left out, or there is none")
    rows = np.arange(len(there))
    record: Record = {
        "n": len(there),
        "faces": scorer.faces,
        "missed": scorer.faces - scorer.found,
        **figures(scorer, rows),
        "intervals_95": {name: list(bounds) for name, bounds in intervals_95(scorer, rows, resamples=200).items()},
    }
    sizes = {}
    for low, high in SIZES:
        one = DetectionScores(there, (low, high), names)
        if one.faces:
            name = f"{low}-{high - 1} px" if high < SIZES[-1][1] else f"{low}+ px"
            counts = {"n": one.faces, "missed": one.faces - one.found}
            sizes[name] = counts | figures(one, rows)
    return record | {"groups": {"size": sizes}}


def _whole_lines(path: Path) -> int:
    """How many pictures are done; a line that a crash left unfinished is cut off."""
    path.touch()
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with path.open("r+b") as file:
            file.truncate(whole)
    return data.count(b"\n")


def _read(path: Path) -> Iterator[tuple[Detection, ...] | None]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            rows = json.loads(line)
            yield None if rows is None else tuple(Detection(Box(*row[:4]), *row[4:]) for row in rows)


def _digest(pictures: Sequence[LabelledPicture]) -> str:
    """SHA-256 of all names and labels, whatever their order."""
    lines = [json.dumps([one.path.name, [_told(label) for label in one.labels]]) for one in pictures]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _told(label: Label) -> list[object]:
    # Data without names has the digest that is recorded of it.
    return [*astuple(label.box), label.ignored, *([label.name] if label.name else [])]


def _kept_file(identity: str, order: Sequence[LabelledPicture]) -> Path:
    folder = cache_folder("evaluations")
    if folder is None:
        raise SettingsError("no folder can be written to keep what is done: set FACED_CACHE_DIR")
    names = "\n".join(one.path.name for one in order)
    return folder / f"{hashlib.sha256(f'{identity} {names}'.encode()).hexdigest()[:16]}.jsonl"


def _upsample(text: str) -> int | None:
    if text == "auto":
        return None
    if not text.isdigit() or int(text) > 8:
        raise SettingsError(f"--upsample is {text!r}, must be auto or 0 to 8")
    return int(text)


def _open(path: Path) -> tuple[list[LabelledPicture], str]:
    if path.is_dir():
        wider = find_wider_face(path)
        if wider is not None:
            return read_wider_face(wider), "WIDER FACE"
        lists = sorted(path.glob("*.xml"))
        # imglab's style sheet lies beside its list; where there are several, the one with pictures counts.
        known = [file for file in lists if file.name in ("training.xml", "testing.xml")] or lists
        if not known:
            raise DataError(f"{path}: holds neither a WIDER FACE list (*_bbx_gt.txt) nor an imglab XML")
        path = known[0]
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder")
    if path.suffix == ".txt":
        return read_wider_face(path), "WIDER FACE"
    try:
        return read_imglab(path), "imglab XML"
    except ValueError as error:
        raise DataError(str(error)) from error
