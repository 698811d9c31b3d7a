import numpy as np
import pytest

from faced_models.bundle import load_detector
from faced_models.pyramid import level_sizes, upsampled_size
from faced_models.regions import Region, follow, plan_regions
from faced_models.scale import ScanPlan, plan_scan
from faced_proto.types import Box, Detection

AS_IS = ScanPlan(0, 1.0, 0, 1.0, 80.0)
DOUBLED = ScanPlan(1, 1.0, 0, 2.0, 40.0)


def face(left, top, side, score=1.0):
    return Detection(Box(left, top, left + side, top + side), score)


@pytest.mark.parametrize("side", [80, 96, 115, 138, 166, 199, 239])
@pytest.mark.parametrize("x", [400, 407, 501])
def test_a_region_holds_its_face_and_half_a_face_around_it(side, x):
    (region,) = plan_regions([face(x, 300, side)], 1920, 1080, AS_IS)
    # The origin lies on the detector's grid: half a step of 8 px of the face's level off at most.
    slack = 4 * side / 80 + 1
    assert region.left <= x - 0.5 * side + slack
    assert region.top <= 300 - 0.5 * side + slack
    assert region.right >= x + 1.5 * side - slack
    assert region.bottom >= 300 + 1.5 * side - slack
    assert region.width == region.height <= 2 * side + 16
    assert region.width % 16 == 0


@pytest.mark.parametrize(("side", "skip"), [(80, 0), (96, 0), (115, 1), (138, 2), (166, 3), (496, 9)])
def test_the_search_begins_one_step_of_size_below_the_face(side, skip):
    (region,) = plan_regions([face(600, 300, side)], 1920, 1080, AS_IS)
    assert region.plan.skip_levels == skip
    assert region.plan.min_detectable_px == pytest.approx(80 * 1.2**skip)
    assert region.plan.min_detectable_px <= side
    assert (region.plan.applied_scale, region.plan.upsample_times, region.plan.shrink) == (1.0, 0, 1.0)


def test_regions_keep_the_scale_of_the_full_scan():
    (small,) = plan_regions([face(300, 200, 40)], 640, 480, DOUBLED)
    assert (small.width, small.plan) == (80, DOUBLED)
    (larger,) = plan_regions([face(300, 200, 58)], 640, 480, DOUBLED)
    assert larger.plan == ScanPlan(1, 1.0, 1, 2.0, 48.0)
    shrunk = ScanPlan(0, 0.5, 0, 0.5, 160.0)
    (region,) = plan_regions([face(1000, 800, 160)], 4000, 3000, shrunk)
    assert (region.width, region.plan) == (320, shrunk)


def test_levels_that_the_full_scan_leaves_out_stay_left_out():
    plan = plan_scan(
        1280, 720, upsample_times=None, min_face_px=120, auto_upsample=0, max_upscaled_pixels=0, max_detect_pixels=10**7
    )
    assert plan.skip_levels == 2
    (region,) = plan_regions([face(600, 300, 115)], 1280, 720, plan)
    assert region.plan.skip_levels == 2


@pytest.mark.parametrize("plan", [AS_IS, DOUBLED, ScanPlan(0, 0.7, 0, 0.7, 80 / 0.7)])
@pytest.mark.parametrize("size", [(640, 480), (333, 251), (120, 1000)])
def test_regions_stay_in_the_picture_wherever_the_face_is(size, plan):
    width, height = size
    rng = np.random.default_rng(1)
    for _ in range(100):
        side = float(rng.uniform(80, 400)) / plan.applied_scale
        left, top = rng.uniform(-side, width), rng.uniform(-side, height)
        for region in plan_regions([face(left, top, side)], width, height, plan) or ():
            assert 0 <= region.left < region.right <= width
            assert 0 <= region.top < region.bottom <= height
            scaled = (region.width, region.height)
            if plan.shrink < 1:
                scaled = tuple(int(length * plan.shrink) for length in scaled)
            sizes = level_sizes(*upsampled_size(*scaled, plan.upsample_times))
            assert region.plan.skip_levels < len(sizes)
            assert region.plan.skip_levels == 0 or min(sizes[region.plan.skip_levels]) >= 10


def test_no_faces_need_no_regions():
    assert plan_regions([], 640, 480, AS_IS) == ()


def test_near_faces_share_a_region_and_far_ones_do_not():
    near = plan_regions([face(300, 200, 80), face(330, 210, 80)], 1280, 720, AS_IS)
    assert len(near) == 1
    assert near[0].left <= 260 + 4
    assert near[0].right >= 450 - 4
    assert near[0].width % 32 == near[0].height % 32 == 0
    far = plan_regions([face(300, 200, 80), face(900, 210, 80)], 1280, 720, AS_IS)
    assert [region.width for region in far] == [160, 160]
    # Three in a row: the first two become one, and that one takes the third.
    assert len(plan_regions([face(x, 200, 80) for x in (300, 420, 360)], 1280, 720, AS_IS)) == 1


def test_a_shared_region_is_searched_as_finely_as_its_smallest_face_needs():
    (both,) = plan_regions([face(300, 200, 115), face(330, 220, 96)], 1280, 720, AS_IS)
    assert both.plan.skip_levels == 0


def test_a_full_scan_is_chosen_where_regions_cost_as_much():
    assert plan_regions([face(40, 40, 80)], 150, 140, AS_IS) is None
    crowd = [face(100 * i, 95 * j, 80) for i in range(6) for j in range(5)]
    assert plan_regions(crowd, 640, 480, AS_IS) is None
    many = [face(30 * i, 100, 80) for i in range(33)]
    assert plan_regions(many, 4000, 3000, AS_IS) is None
    assert len(plan_regions(many[:32], 4000, 3000, AS_IS)) == 1


# Following


REGIONS = (Region(100, 50, 160, 160, AS_IS), Region(600, 50, 160, 160, AS_IS))


def test_boxes_of_regions_become_boxes_of_the_frame_highest_score_first():
    known = [face(140, 90, 80), face(640, 90, 80)]
    found = [[face(44, 40, 80, 0.7)], [face(36, 48, 80, 0.9)]]
    assert follow(known, REGIONS, found) == (face(636, 98, 80, 0.9), face(144, 90, 80, 0.7))


def test_a_known_face_that_is_found_nowhere_is_lost():
    known = [face(140, 90, 80), face(640, 90, 80)]
    assert follow(known, REGIONS, [[face(44, 40, 80)], []]) is None
    # Something in the region that does not touch the face is not it.
    assert follow(known, REGIONS, [[face(44, 40, 80)], [face(121, 125, 80)]]) is None
    assert follow([], (), []) == ()


def test_what_overlaps_no_known_face_is_left_for_the_full_scan():
    assert follow([face(140, 90, 80)], REGIONS[:1], [[face(40, 40, 80, 0.4), face(125, 40, 30, 0.9)]]) == (
        face(140, 90, 80, 0.4),
    )


def test_a_face_that_two_regions_saw_counts_once():
    regions = (REGIONS[0], Region(180, 50, 160, 160, AS_IS))
    known = [face(140, 90, 80), face(230, 90, 80)]
    # The first face, seen whole and again by the neighbour; the second is not there.
    assert follow(known, regions, [[face(40, 40, 80, 1.0)], [face(-30, 40, 80, 0.5)]]) is None
    both = follow(known, regions, [[face(40, 40, 80, 1.0)], [face(-30, 40, 80, 0.5), face(50, 40, 80, 0.8)]])
    assert both == (face(140, 90, 80, 1.0), face(230, 90, 80, 0.8))


def test_the_grid_of_a_region_lies_on_the_grid_of_the_frame(astronaut):
    detector = load_detector(backend="ort", device="cpu", cpu_threads=2)
    image = np.full((400, 640, 3), 120, np.uint8)
    same = compared = 0
    for y in range(40, 140, 7):
        x = 2 * y + 20
        image[:] = 120
        image[y : y + 256, x : x + 256] = astronaut[:256, 96:352]
        (full,) = detector.detect([image], AS_IS, [0.0])[0]
        (region,) = plan_regions([full], 640, 400, AS_IS)
        cut = np.ascontiguousarray(image[region.top : region.bottom, region.left : region.right])
        (now,) = follow([full], [region], detector.detect([cut], region.plan, [0.0]))
        a, b = full.box, now.box
        if abs(a.width - b.width) > 1:
            continue
        compared += 1
        step = 8 * a.width / 80
        for off in (b.left - a.left, b.top - a.top):
            assert abs(off - step * round(off / step)) <= 1.5
            assert abs(off) <= step + 1
        same += max(abs(a.left - b.left), abs(a.top - b.top)) <= 1
    assert compared >= 12
    assert same >= 8  # by chance it were one in ten


@pytest.mark.parametrize(("width", "height"), [(40, 40), (24, 40), (40, 20)])
def test_a_smaller_window_has_regions_of_its_own_size(width, height):
    plan = ScanPlan(0, 1.0, 0, 1.0, 40.0)
    (region,) = plan_regions([Detection(Box(600, 300, 600 + width, 300 + height), 1.0)], 1920, 1080, plan)
    # 40 px and the 40 px around them that the network sees, rounded up to multiples of 16.
    assert (region.width, region.height) == (128, 128)
    assert region.plan.skip_levels == 0
    assert region.plan.min_detectable_px == pytest.approx(40)
    assert region.left <= 600 + width / 2 - 55
    assert region.left + region.width >= 600 + width / 2 + 55
