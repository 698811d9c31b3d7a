import numpy as np
import pytest

from faced_models.calibration import FittedOn, OrdinalKernel, tempered
from faced_proto.types import IntegerBins
from faced_train.fit.ordinal_kernel import fit_ordinal_kernel
from faced_train.fit.temperature import fit_temperature, fit_temperature_to_votes
from faced_train.scores.age import AgeScores

FITTED_ON = FittedOn("made up", 1, "0" * 64)
YEARS = IntegerBins(0, 1, True, 81)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_was_put_in_is_found(temperature):
    random = np.random.default_rng(0)
    true = random.dirichlet(np.ones(5), 20_000)
    labels = np.array([random.choice(5, p=row) for row in true])
    said = tempered(true, 1 / temperature)
    assert fit_temperature(said, labels) == pytest.approx(temperature, rel=0.04)


def test_a_kernel_finds_the_bias_and_the_spread():
    random = np.random.default_rng(1)
    ages = random.uniform(0, 80, 6000)
    # The network is sure, six years too old at 20, right from 40 on, and off by seven years.
    said = np.clip(np.rint(ages + np.interp(ages, [0, 20, 40], [0, 6, 0]) + random.normal(0, 7, 6000)), 0, 80)
    kernel = fit_ordinal_kernel(np.eye(81)[said.astype(int)], ages, YEARS, FITTED_ON)
    assert isinstance(kernel, OrdinalKernel)
    assert kernel.knots == (0, 10, 20, 30, 40, 50, 60, 70, 80)
    # Where 26 is said, 20 is meant; 50 is meant as it is said.
    assert np.interp(26, kernel.knots, kernel.centre) < 24.5
    assert np.interp(50, kernel.knots, kernel.centre) == pytest.approx(50, abs=1.5)
    assert np.interp(50, kernel.knots, kernel.width) == pytest.approx(7, abs=0.8)
    raw, fitted = np.eye(81)[said.astype(int)], kernel.apply(np.eye(81)[said.astype(int)])
    none = np.full(6000, -1)
    before, after = (AgeScores(rows, ages, none).score(np.arange(6000)) for rows in (raw, fitted))
    assert after["crps"] < 0.75 * before["crps"]
    assert 0.87 < after["coverage_90"] < 0.94


def test_a_temperature_fitted_to_votes_gives_the_shares_back():
    random = np.random.default_rng(2)
    shares = random.dirichlet(np.full(7, 0.6), 4000)
    # Ten people vote as they see it; the network is twice as sure as they are.
    votes = np.stack([random.multinomial(10, row) for row in shares]) / 10
    sure = tempered(np.maximum(shares, 1e-6), 0.5)
    assert fit_temperature_to_votes(sure, votes) == pytest.approx(2.0, abs=0.05)
