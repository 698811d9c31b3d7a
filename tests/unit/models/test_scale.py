import pytest

from faced_models.scale import plan_scan

CAPS = {"auto_upsample": 0, "max_upscaled_pixels": 2_000_000, "max_detect_pixels": 8_300_000}


def plan(width, height, upsample_times=None, min_face_px=None, **caps):
    return plan_scan(width, height, upsample_times=upsample_times, min_face_px=min_face_px, **(CAPS | caps))


def test_without_wishes_a_picture_is_searched_as_it_is():
    assert (plan(640, 480).applied_scale, plan(640, 480).min_detectable_px) == (1.0, 80.0)


def test_auto_doubles_once_if_the_result_fits_the_cap():
    assert plan(640, 480, auto_upsample=1).upsample_times == 1
    # (2w + 2)(2h + 1): 999 x 499 gives 2000 x 999 = 1,998,000; 999 x 500 gives 2000 x 1001 = 2,002,000
    assert plan(999, 499, auto_upsample=1).upsample_times == 1
    assert plan(999, 500, auto_upsample=1).upsample_times == 0


def test_doublings_beyond_the_cap_are_left_out():
    assert plan(640, 480, upsample_times=3).upsample_times == 1
    assert plan(100, 100, upsample_times=3).upsample_times == 3


def test_the_upscaling_cap_never_shrinks():
    big = plan(3840, 2160, upsample_times=1)
    assert (big.upsample_times, big.applied_scale, big.min_detectable_px) == (0, 1.0, 80.0)


def test_pictures_above_the_detection_cap_are_shrunk_to_it():
    assert plan(3840, 2161).shrink == 1.0
    huge = plan(8000, 5000)
    assert huge.shrink == pytest.approx((8.3e6 / 40e6) ** 0.5)
    assert huge.min_detectable_px == pytest.approx(80 / huge.shrink)


def test_a_smallest_face_below_the_window_doubles():
    for px, times in ((80, 0), (79, 1), (40, 1), (39, 2), (20, 2)):
        result = plan(300, 300, min_face_px=px)
        assert result.upsample_times == times, px
        assert result.min_detectable_px <= px


def test_a_smallest_face_above_the_window_leaves_out_the_finest_levels():
    for px, skip in ((80, 0), (95, 0), (96, 1), (115, 1), (116, 2), (200, 5)):
        result = plan(640, 480, min_face_px=px)
        assert result.skip_levels == skip, px
        assert result.min_detectable_px <= px + 1e-9


def test_however_large_the_smallest_face_a_level_with_a_layout_is_left():
    assert plan(640, 480, min_face_px=10_000).skip_levels > 15
    assert plan(12, 12, min_face_px=10_000).skip_levels == 1


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"upsample_times": 9}, "upsample_times is 9, must be 0 to 8"),
        ({"upsample_times": -1}, "upsample_times is -1, must be 0 to 8"),
        ({"min_face_px": 0}, "min_face_px is 0, must be 1 to 10000"),
        ({"min_face_px": -5}, "min_face_px is -5, must be 1 to 10000"),
        ({"min_face_px": 80, "upsample_times": 1}, "exclude each other"),
    ],
)
def test_wishes_out_of_range_are_named(wish, message):
    with pytest.raises(ValueError, match=message):
        plan(640, 480, **wish)
