import pytest

from faced_models.convert.dlib_resnet import BLOCKS, read_face_resnet
from faced_models.errors import WeightsError
from tests.dlib_file import face_resnet_file


@pytest.fixture(scope="module")
def original() -> bytes:
    return face_resnet_file(means=(122.5, 117.0, 104.25))


def test_all_convolutions_are_read_with_the_scales_behind_them(original):
    weights = read_face_resnet(original, "resnet.dat")
    assert weights.means == (122.5, 117.0, 104.25)
    widths = [32] + [width for width, count in BLOCKS for _ in range(2 * count)]
    assert [convolution.weights.shape[0] for convolution, _ in weights.layers] == widths
    assert [affine.scale.shape for _, affine in weights.layers] == [(width,) for width in widths]
    assert [affine.shift.shape for _, affine in weights.layers] == [(width,) for width in widths]
    first, _ = weights.layers[0]
    assert (first.weights.shape, first.stride, first.padding) == ((32, 3, 7, 7), (2, 2), (0, 0))
    halving = [i for i, (convolution, _) in enumerate(weights.layers) if convolution.stride == (2, 2)]
    assert halving == [0, 7, 15, 21, 27]


@pytest.mark.parametrize("length", [0, 1, 100, 400_000, 22_000_000])
def test_a_file_cut_short_is_refused(original, length):
    with pytest.raises(WeightsError, match=r"resnet\.dat: at byte \d+: the file ends"):
        read_face_resnet(original[:length], "resnet.dat")


def test_a_file_with_something_behind_it_is_refused(original):
    with pytest.raises(WeightsError, match="1 bytes left over"):
        read_face_resnet(original + b"\0", "resnet.dat")


def test_another_network_is_refused(original):
    with pytest.raises(WeightsError, match="'loss_binary'"):
        read_face_resnet(original.replace(b"\rloss_metric_2", b"\x0bloss_binary"), "resnet.dat")
