"""Records dlib's boxes on all cases to boxes.json: `make parity-record` (10 minutes; needs the development data)."""

import hashlib
import json
import sys
from pathlib import Path

from faced_models.bundle import load_detector
from faced_models.scale import ScanPlan
from faced_proto.types import Detection
from tests.conftest import find_data
from tests.parity.cases import Case, data_cases, own_cases

RECORD = Path(__file__).with_name("boxes.json")


def digest(case: Case) -> str:
    """Tells whether the pixels are those that dlib saw (decoders and resizers differ between versions)."""
    return hashlib.sha256(case.image.tobytes()).hexdigest()[:16]


def plan_of(case: Case) -> ScanPlan:
    """Whole doublings, no cap."""
    return ScanPlan(case.upsample, 1.0, 0, 2.0**case.upsample, 80 / 2.0**case.upsample)


def as_row(face: Detection) -> list[float]:
    """left, top, right, bottom, score."""
    box = face.box
    return [box.left, box.top, box.right, box.bottom, round(face.score, 6)]


def main() -> None:
    """Run dlib over everything."""
    data = find_data()
    if data is None:
        raise SystemExit("needs the development data: set FACED_DATA to its folder")
    detector = load_detector(backend="dlib")
    record = {}
    for case in [*own_cases(), *data_cases(data)]:
        faces = detector.detect([case.image], plan_of(case), [0.0])[0]
        record[f"{case.name}@{case.upsample}"] = {"pixels": digest(case), "boxes": [as_row(face) for face in faces]}
        sys.stderr.write(f"{case.name}@{case.upsample}: {len(faces)}\n")
    lines = ",\n".join(f'"{name}": {json.dumps(row)}' for name, row in record.items())
    RECORD.write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
