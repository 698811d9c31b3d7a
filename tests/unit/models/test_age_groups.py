import pytest

from faced_models.age_groups import age_groups, probability_below
from faced_proto.types import Categories, Distribution, IntegerBins

YEARS = IntegerBins(0, 1, True, 81)


def age(**probabilities):
    values = [0.0] * 81
    for year, p in probabilities.items():
        values[int(year[1:])] = p
    return Distribution("age", YEARS, tuple(values), "m@1+0", False)


def test_years_are_summed_into_the_eight_contiguous_groups():
    groups = age_groups(age(y3=0.1, y4=0.2, y14=0.3, y57=0.15, y80=0.25))
    assert groups.as_dict() == pytest.approx(
        {"0-3": 0.1, "4-7": 0.2, "8-14": 0.3, "15-22": 0, "23-35": 0, "36-45": 0, "46-56": 0, "57+": 0.4}
    )
    assert (groups.attribute, groups.model) == ("age_group", "m@1+0")


def test_groups_of_all_years_sum_to_one():
    uniform = Distribution("age", YEARS, (1 / 81,) * 81, "m", False)
    assert sum(age_groups(uniform).probabilities) == pytest.approx(1.0)


def test_probability_below_counts_the_years_before():
    assert probability_below(age(y15=0.2, y16=0.8), 16) == pytest.approx(0.2)


def test_named_classes_have_no_years():
    with pytest.raises(TypeError, match="single years"):
        age_groups(Distribution("emotion", Categories(("a", "b")), (0.5, 0.5), "m", False))
