"""Compares every box with dlib's, live: `make parity` (10 minutes)."""

import sys

from faced_models.bundle import load_detector
from tests.conftest import find_data
from tests.parity.cases import data_cases, own_cases
from tests.parity.comparison import assert_same
from tests.parity.record import as_row, plan_of


def main() -> None:
    """Run both detectors over all cases; the first difference beyond the bounds is an error."""
    data = find_data()
    ours, reference = load_detector(), load_detector(backend="dlib")
    boxes, corner, score = 0, 0.0, 0.0
    cases = [*own_cases(), *(data_cases(data) if data else ())]
    for case in cases:
        expected = [as_row(face) for face in reference.detect([case.image], plan_of(case), [0.0])[0]]
        found = ours.detect([case.image], plan_of(case), [0.0])[0]
        worst = assert_same(found, expected, f"{case.name}@{case.upsample}")
        boxes, corner, score = boxes + len(found), max(corner, worst[0]), max(score, worst[1])
        sys.stderr.write(f"{case.name}@{case.upsample}: {len(found)} boxes\n")
    sys.stdout.write(
        f"parity: {len(cases)} pictures, {boxes} boxes as dlib's, none missing or extra; "
        f"corners within {corner:g} px, scores within {score:.1e}\n"
    )
    if data is None:
        sys.stdout.write("parity: without the development data (FACED_DATA), own pictures only\n")


if __name__ == "__main__":
    main()
