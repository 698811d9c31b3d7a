import json

import pytest

from tests.accuracy.table import BETTER_IF_MORE, EVALUATIONS, RECORDED, evaluate

# Other processors round otherwise: a face in two hundred may turn.
TOLERANCE = 0.006


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("subject", EVALUATIONS)
def test_no_figure_is_worse_than_the_recorded_one(subject, data_dir):
    figures, recorded = evaluate(subject, data_dir), json.loads(RECORDED.read_text())[subject]
    assert figures.keys() == recorded.keys()
    worse = {
        name: (value, recorded[name])
        for name, value in figures.items()
        if (value < recorded[name] - TOLERANCE if name in BETTER_IF_MORE else value > recorded[name] * (1 + TOLERANCE))
    }
    assert worse == {}
