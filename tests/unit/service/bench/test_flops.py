import pytest

from faced_service.bench.flops import network_gflop, peak_gflops


def test_the_work_is_that_of_the_seven_convolutions():
    # dlib's layout of 640 x 480 is 662 x 1836 pixels; seven convolutions on it, counted by hand.
    def outputs(side):
        first = (side - 5) // 2 + 1
        second = (first - 5) // 2 + 1
        return first, second, (second - 5) // 2 + 1

    from faced_models.pyramid import tile

    layout = tile(640, 480, 10, 11)
    (a, b, c), (x, y, z) = outputs(layout.height), outputs(layout.width)
    layers = (
        a * x * 16 * 3 * 25
        + b * y * 32 * 16 * 25
        + c * z * (32 * 32 * 25 + 45 * 32 * 25 + 2 * 45 * 45 * 25)
        # padded 4: as many outputs as inputs
        + c * z * 45 * 81
    )
    assert network_gflop(640, 480, 0) == pytest.approx(2 * layers / 1e9, rel=1e-9)
    assert 8.0 < network_gflop(640, 480, 0) < 9.0


def test_a_doubling_is_four_times_the_work():
    assert network_gflop(640, 480, 1) / network_gflop(640, 480, 0) == pytest.approx(4.0, rel=0.03)


def test_the_peak_is_measured():
    assert peak_gflops(1, side=512, rounds=3) > 1.0
