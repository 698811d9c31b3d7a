"""Pictures that were looked at by eye; a change of looks shows here, and is made on purpose.

`FACED_WRITE_GOLDEN=1 pytest tests/unit/cli/test_overlay_golden.py` draws them anew: look at them before committing.
"""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from faced_cli.drawing_style import Blur, DrawingStyle, PanelMode
from faced_cli.overlay import annotate
from faced_proto.types import AttributeFailure, ErrorReason, FaceAnalysis

GOLDEN = Path(__file__).parent / "golden"
CROWD = [(40, 60), (150, 70), (260, 50), (330, 110), (480, 60), (90, 260), (300, 250), (360, 270), (540, 300)]
pytestmark = pytest.mark.skipif(not hasattr(cv2, "FontFace"), reason="the pictures are lettered with OpenCV 5's fonts")


def backdrop(width: int, height: int) -> np.ndarray:
    """Light to dark, with a hue that wanders: every ink meets every ground."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([235 - 190 * x / width, 210 - 150 * y / height, 70 + 130 * x / width], axis=2).astype(np.uint8)


@pytest.fixture
def scene(request, face, analysis, distribution, astronaut):
    def crop(image: np.ndarray) -> np.ndarray:
        return image[700:1500, 1150:2250]

    gloom = distribution("emotion", ("angry", "happy", "neutral"), (0.4, 0.35, 0.25))
    scripts = ("\u0441\u0447\u0430\u0441\u0442\u044c\u0435", "\u9ad8\u5174", "\u00c4rger", "\U0001f600")
    moods = distribution("emotion", scripts, (0.7, 0.2, 0.06, 0.04))
    one = face(40, 70, 130, 160, track_id=3)
    failed = FaceAnalysis(
        one.detection, one.landmarks, (AttributeFailure("emotion", ErrorReason.INTERNAL, "no"), *one.attributes[1:]), 12
    )
    head = np.ascontiguousarray(astronaut[:300, 60:460])
    crowd = [face(x, y, x + 60, y + 60, track_id=i) for i, (x, y) in enumerate(CROWD)]
    at_border = [
        face(-40, -30, 80, 90, track_id=1),
        face(560, 380, 700, 520, track_id=2, emotion=gloom),
        face(300, -60, 390, 30),
    ]
    each, largest, none = PanelMode.EACH, PanelMode.LARGEST, PanelMode.NONE
    scenes = {
        "small": (backdrop(320, 240), [one], DrawingStyle(largest), None),
        "failed": (backdrop(320, 240), [failed], DrawingStyle(each), None),
        "border": (backdrop(640, 480), at_border, DrawingStyle(each), None),
        "crowd": (backdrop(640, 480), crowd, DrawingStyle(each), None),
        "crowd-largest": (backdrop(640, 480), crowd, DrawingStyle(largest), None),
        "crowd-none": (backdrop(640, 480), crowd, DrawingStyle(none), None),
        "scripts": (backdrop(400, 300), [face(60, 80, 160, 180, emotion=moods)], DrawingStyle(each), None),
        "blur-faces": (head, [face(113, 73, 210, 170)], DrawingStyle(largest, Blur.FACES), None),
        "blur-all": (head, [face(113, 73, 210, 170)], DrawingStyle(none, Blur.ALL), None),
        "4k": (backdrop(3840, 2160), [face(1200, 800, 1600, 1200, track_id=7)], DrawingStyle(largest), crop),
    }
    image, faces, style, cut = scenes[request.param]
    height, width = image.shape[:2]
    drawn = annotate(image, analysis(width, height, *faces), style)
    return request.param, drawn if cut is None else cut(drawn)


@pytest.mark.parametrize(
    "scene",
    [
        *("small", "failed", "border", "crowd", "crowd-largest", "crowd-none"),
        *("scripts", "blur-faces", "blur-all", "4k"),
    ],
    indirect=True,
)
def test_looks_as_it_was_looked_at(scene, tmp_path):
    name, drawn = scene
    golden = GOLDEN / f"{name}.png"
    if os.environ.get("FACED_WRITE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        cv2.imwrite(str(golden), drawn[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    expected = cv2.imread(str(golden))[:, :, ::-1]
    cv2.imwrite(str(tmp_path / f"{name}.png"), drawn[:, :, ::-1])
    assert drawn.shape == expected.shape
    # Another build of OpenCV may set an edge's grey a little differently, never a letter elsewhere.
    apart = np.abs(drawn.astype(int) - expected).max(axis=2) > 40
    assert apart.mean() < 0.002, f"{apart.mean():.2%} of the pixels differ: {tmp_path}/{name}.png against {golden}"
