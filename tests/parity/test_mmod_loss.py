"""Our MMOD loss and its gradient against dlib's on the same scores; dlib's are recorded, see mmod_loss.cpp."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow

from faced_train.training.mmod.loss import mmod_loss  # noqa: E402
from tests.parity.mmod_cases import RECORD, cases  # noqa: E402

_DLIB = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_loss_and_gradient_are_dlibs(case):
    dlib = _DLIB[case.name]
    assert dlib["shape"] == list(case.grid.shape)
    scores = torch.tensor(case.scores, requires_grad=True)
    objective, judged = mmod_loss(scores, case.truths, case.grid, case.options)
    objective.backward()
    gradient = np.zeros(scores.numel())
    gradient[dlib["places"]] = dlib["values"]
    assert judged.loss == pytest.approx(dlib["loss"], abs=1e-4)
    # dlib's gradient is one over the number of outputs times so many: compared as whole numbers.
    assert np.abs(scores.grad.numpy().reshape(-1) - gradient).max() * scores.numel() < 1e-4
