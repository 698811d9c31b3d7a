"""Analyses, pictures and small real videos to show, draw and read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from faced_proto.types import (
    Box,
    Categories,
    Detection,
    Distribution,
    EffectiveOptions,
    Engine,
    FaceAnalysis,
    FrameAnalysis,
    IntegerBins,
    Landmark,
    LandmarkType,
    Precision,
    Rotation,
    Timing,
    Withheld,
    WithheldReason,
)

GROUPS = ("0-3", "4-7", "8-14", "15-22", "23-35", "36-45", "46-56", "57+")
FIRST_YEARS = (0, 4, 8, 15, 23, 36, 46, 57, 81)


@pytest.fixture
def distribution() -> Callable[[str, Sequence[str], Sequence[float]], Distribution]:
    def make(attribute: str, labels: Sequence[str], probabilities: Sequence[float]) -> Distribution:
        return Distribution(attribute, Categories(tuple(labels)), tuple(probabilities), "net@1+0", False)

    return make


@pytest.fixture
def face(distribution) -> Callable[..., FaceAnalysis]:
    def make(left: float, top: float, right: float, bottom: float, **changes: object) -> FaceAnalysis:
        years = np.exp(-0.5 * ((np.arange(81) - 34) / 6) ** 2)
        years = tuple(float(p) for p in np.float32(years / years.sum()))
        groups = [sum(years[FIRST_YEARS[i] : FIRST_YEARS[i + 1]]) for i in range(8)]
        emotion = distribution(
            "emotion",
            ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"),
            (0.01, 0.002, 0.02, 0.9, 0.008, 0.03, 0.03),
        )
        attributes = (
            changes.get("emotion", emotion),
            Withheld("gender", WithheldReason.MAY_BE_MINOR, "P(age < 16) is 0.4, above 0.2"),
            Distribution("age", IntegerBins(0, 1, True, 81), years, "age@1+0", False),
            distribution("age_group", GROUPS, groups),
        )
        width, height = right - left, bottom - top
        places = ((0.2, 0.4), (0.38, 0.4), (0.8, 0.4), (0.62, 0.4), (0.5, 0.65))
        landmarks = tuple(
            Landmark(kind, left + x * width, top + y * height)
            for kind, (x, y) in zip(LandmarkType, places, strict=True)
        )
        box = Box(left, top, right, bottom)
        return FaceAnalysis(Detection(box, 1.1), landmarks, attributes, changes.get("track_id"))

    return make


@pytest.fixture
def analysis() -> Callable[..., FrameAnalysis]:
    def make(width: int, height: int, *faces: FaceAnalysis) -> FrameAnalysis:
        return FrameAnalysis(
            width=width,
            height=height,
            rotation=Rotation.NONE,
            faces=faces,
            applied_scale=2.0,
            min_detectable_px=40.0,
            options=EffectiveOptions(1, 0.0, None, ("emotion", "gender", "age", "age_group")),
            full_scan=True,
            engine=Engine("cpu", "onnxruntime", Precision.EXACT, "mmod@1+0"),
            timing=Timing(1250, 0, 39000, 700, 2300, 44321),
        )

    return make


@pytest.fixture
def make_video(tmp_path: Path) -> Callable[..., Path]:
    """Writes a video whose frame i is grey of level 8 * i (modulo 240); `pts` in milliseconds, one for each frame."""

    def make(
        name: str = "in.mp4",
        *,
        width: int = 64,
        height: int = 48,
        pts: Sequence[int] = tuple(range(0, 400, 40)),
        audio: str | None = None,
        turn: int | None = None,
        picture: np.ndarray | None = None,
        pix_fmt: str = "yuv420p",
        codec: str = "libx264",
        faststart: bool = False,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", options={"movflags": "faststart"} if faststart else {}) as container:
            stream = container.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
            stream.codec_context.time_base = Fraction(1, 1000)
            if turn is not None:
                stream.set_display_rotation(turn)
            sound = container.add_stream(audio, rate=44100, layout="mono") if audio else None
            for i, moment in enumerate(pts):
                image = picture if picture is not None else np.full((height, width, 3), 8 * i % 240, np.uint8)
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = moment, Fraction(1, 1000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
            if sound is not None:
                tone = np.sin(2 * np.pi * 440 * np.arange(44100 * (pts[-1] + 40) // 1000) / 44100)
                for start in range(0, len(tone) - 1023, 1024):
                    samples = (tone[start : start + 1024] * 20000).astype(np.int16)[None]
                    block = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
                    block.rate, block.pts, block.time_base = 44100, start, Fraction(1, 44100)
                    container.mux(sound.encode(block))
                container.mux(sound.encode(None))
        return path

    return make
