import pytest

from faced_models.boxes import Overlap, Rectangle, downsampled, round_away, suppress
from faced_proto.types import Box


@pytest.mark.parametrize(("value", "whole"), [(0.5, 1), (-0.5, -1), (1.49, 1), (-1.5, -2), (2.0, 2), (-0.2, 0)])
def test_halves_round_away_from_zero(value, whole):
    assert round_away(value) == whole


def test_overlap_is_intersection_over_the_box_around_both():
    a, b = Rectangle(0, 0, 9, 9), Rectangle(5, 0, 14, 9)  # 50 of 150
    assert Overlap(0.33, 1.0)(a, b)
    assert not Overlap(0.34, 1.0)(a, b)


def test_boxes_that_only_touch_do_not_overlap():
    assert not Overlap(0.0, 1.0)(Rectangle(0, 0, 9, 9), Rectangle(10, 0, 19, 9))


def test_a_covered_box_overlaps_where_the_second_threshold_says_so():
    inner, outer = Rectangle(0, 0, 9, 9), Rectangle(0, 0, 99, 99)
    assert Overlap(0.9, 0.9)(inner, outer)
    assert not Overlap(0.9, 1.0)(inner, outer)


def test_suppression_keeps_the_first_of_those_that_overlap():
    boxes = [Rectangle(0, 0, 9, 9), Rectangle(1, 1, 10, 10), Rectangle(50, 50, 59, 59), Rectangle(51, 50, 60, 59)]
    assert suppress(boxes, Overlap(0.33, 1.0)) == [0, 2]


def test_a_box_of_a_doubled_picture_comes_back_as_dlib_brings_it_back():
    assert downsampled(Rectangle(100, 100, 179, 179), 1) == Rectangle(49, 49, 88, 89)
    assert downsampled(Rectangle(100, 100, 179, 179), 0) == Rectangle(100, 100, 179, 179)


def test_inclusive_corners_become_continuous_ones():
    assert Rectangle(3, 4, 9, 11).as_box() == Box(3.0, 4.0, 10.0, 12.0)
