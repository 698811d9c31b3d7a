import numpy as np
import pytest

from faced_models.winograd import WinogradLayer, transform


@pytest.mark.parametrize("taps", [3, 5])
def test_the_transform_correlates(taps):
    matrices = transform(taps)
    rng = np.random.default_rng(taps)
    kernel, values = rng.normal(size=taps), rng.normal(size=taps + 3)
    result = matrices.back @ ((matrices.kernel @ kernel) * (matrices.source @ values))
    np.testing.assert_allclose(result, np.correlate(values, kernel), atol=1e-13)


def test_multiplications_are_two_fifths_at_stride_one_and_three_fifths_at_stride_two():
    plain = 4 * 5 * 16 * 48 * 5
    weights, bias = np.ones((48, 16, 5, 5), np.float32), np.zeros(48, np.float32)
    assert WinogradLayer.of(weights, bias, 1, 8).weights.size == plain * 2 / 5
    assert WinogradLayer.of(weights, bias, 2, 8).weights.size == plain * 3 / 5


def test_missing_outputs_of_the_last_block_are_zero():
    layer = WinogradLayer.of(np.ones((5, 2, 5, 5), np.float32), np.ones(5, np.float32), 1, 4)
    assert layer.weights.shape == (8, 2, 2, 5, 4)
    assert layer.outputs == 5
    assert not layer.weights[:, 1, :, :, 1:].any()
    assert layer.weights[:, 1, :, :, 0].any()
