import numpy as np
import pytest

from faced_models.calibration import FittedOn, OrdinalKernel, Temperature, tempered
from faced_proto.types import IntegerBins

FITTED_ON = FittedOn("some faces", 100, "0" * 64)
YEARS = IntegerBins(first=0, width=1, last_open=True, count=81)


def kernel(**changes):
    values = {"temperature": 1.0, "knots": (0.0, 80.0), "centre": (0.0, 80.0), "width": (6.0, 6.0)} | changes
    return OrdinalKernel(axis=YEARS, fitted_on=FITTED_ON, **values)


def certain(year):
    return np.eye(81)[[year]]


def test_a_temperature_of_two_takes_square_roots():
    (row,) = Temperature(2.0, FITTED_ON).apply(np.array([[0.64, 0.36]]))
    assert row == pytest.approx([0.8 / 1.4, 0.6 / 1.4])


def test_a_temperature_of_one_changes_nothing_and_zero_stays_finite():
    rows = np.array([[1.0, 0.0], [0.3, 0.7]])
    assert (tempered(rows, 1.0) == rows).all()
    hot = tempered(rows, 3.0)
    assert np.isfinite(hot).all()
    assert hot.sum(axis=1) == pytest.approx([1.0, 1.0])


def test_a_kernel_spreads_a_certain_age_as_a_gaussian():
    (row,) = kernel().apply(certain(40))
    years = np.arange(81)
    assert row.sum() == pytest.approx(1.0)
    assert row @ years == pytest.approx(40.0, abs=1e-6)
    assert np.sqrt(row @ (years - 40.0) ** 2) == pytest.approx(6.0, abs=0.02)


def test_what_falls_beyond_an_end_counts_there():
    (row,) = kernel().apply(certain(80))
    # Half of the mass, and the half bin around the last year.
    assert row[80] == pytest.approx(0.5332, abs=1e-3)
    assert row.sum() == pytest.approx(1.0)


def test_the_bias_map_moves_and_is_linear_between_knots():
    (row,) = kernel(knots=(0.0, 20.0, 80.0), centre=(0.0, 30.0, 80.0), width=(1.0, 1.0, 1.0)).apply(certain(10))
    assert row @ np.arange(81) == pytest.approx(15.0, abs=1e-3)


def test_every_row_of_a_kernel_is_a_distribution():
    matrix = kernel(width=(0.05, 30.0)).kernel
    assert (matrix >= 0).all()
    assert matrix.sum(axis=1) == pytest.approx(np.ones(81))
