import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from faced_proto.types import ErrorReason, Rotation
from faced_service.errors import ImageTooLarge, RawLayoutError
from faced_service.images import Picture, decode
from faced_service.raw_pixels import PixelFormat, Plane, RawLayout, to_rgb

PACKED = {"BGR24": 3, "RGB24": 3, "GRAY8": 1, "BGRA32": 4, "RGBA32": 4}


def face(width=64, height=48):
    return np.ascontiguousarray(cv2.resize(astronaut()[:300, 100:400], (width, height), interpolation=cv2.INTER_AREA))


def packed(rgb, name):
    alpha = np.full((*rgb.shape[:2], 1), 7, np.uint8)
    return {
        "BGR24": rgb[:, :, ::-1],
        "RGB24": rgb,
        "GRAY8": rgb[:, :, 1:2],
        "BGRA32": np.concatenate((rgb[:, :, ::-1], alpha), axis=2),
        "RGBA32": np.concatenate((rgb, alpha), axis=2),
    }[name]


def expected(rgb, name):
    return np.repeat(rgb[:, :, 1:2], 3, axis=2) if name == "GRAY8" else rgb


def raw(name, width, height, *planes):
    return RawLayout(PixelFormat(name), width, height, tuple(p if isinstance(p, Plane) else Plane(p) for p in planes))


def yuv(rgb):
    """BT.601, limited range, by its definition; chroma of whole picture averaged over 2 x 2, edges repeated."""
    r, g, b = (rgb[:, :, i].astype(float) for i in range(3))
    luma = 16 + (65.738 * r + 129.057 * g + 25.064 * b) / 256
    padded = [np.pad(c, ((0, c.shape[0] % 2), (0, c.shape[1] % 2)), mode="edge") for c in (r, g, b)]
    r, g, b = (c.reshape(c.shape[0] // 2, 2, c.shape[1] // 2, 2).mean(axis=(1, 3)) for c in padded)
    blue = 128 + (-37.945 * r - 74.494 * g + 112.439 * b) / 256
    red = 128 + (112.439 * r - 94.154 * g - 18.285 * b) / 256
    return tuple(np.rint(plane).astype(np.uint8) for plane in (luma, blue, red))


def smooth(width, height):
    """A picture without fine colour, so that halved chroma loses little."""
    x, y = np.meshgrid(np.arange(width) / 64, np.arange(height) / 64)
    return np.stack((40 + 180 * x, 200 - 120 * y, 60 + 90 * x * y), axis=2).astype(np.uint8)


@pytest.mark.parametrize("name", PACKED)
def test_packed_formats_give_their_pixels(name):
    rgb = face()
    image = to_rgb(raw(name, 64, 48, packed(rgb, name).tobytes()))
    assert np.array_equal(image, expected(rgb, name))
    assert image.flags.c_contiguous
    assert image.flags.writeable


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("last_row_padded", [False, True])
def test_row_and_pixel_strides_are_followed(name, last_row_padded):
    rgb, samples = face(), PACKED[name]
    memory = np.full((48, 400), 99, np.uint8)
    for i in range(samples):
        memory[:, i : i + 64 * 5 : 5] = packed(rgb, name)[:, :, i]
    data = memory.tobytes()
    if not last_row_padded:
        data = data[: 47 * 400 + 63 * 5 + samples]
    image = to_rgb(raw(name, 64, 48, Plane(data, row_stride=400, pixel_stride=5)))
    assert np.array_equal(image, expected(rgb, name))


@pytest.mark.parametrize("size", [(64, 48), (63, 48), (64, 47), (63, 47), (1, 1), (2, 1), (1, 2), (3, 3)])
@pytest.mark.parametrize("name", ["NV12", "NV21", "I420"])
@pytest.mark.parametrize("layout", ["planes", "one plane", "strided"])
def test_subsampled_formats_give_their_colours_at_odd_sizes_too(size, name, layout):
    rgb = smooth(*size)
    luma, blue, red = yuv(rgb)
    chroma = {
        "NV12": [np.stack((blue, red), axis=2)],
        "NV21": [np.stack((red, blue), axis=2)],
        "I420": [blue, red],
    }[name]
    arrays = [luma, *chroma]
    if layout == "one plane":
        planes = [b"".join(array.tobytes() for array in arrays)]
    elif layout == "strided":
        planes = []
        for array in arrays:
            rows = array.reshape(array.shape[0], -1)
            stride = rows.shape[1] + 13
            planes.append(Plane(np.pad(rows, ((0, 0), (0, 13))).tobytes(), row_stride=stride))
    else:
        planes = [array.tobytes() for array in arrays]
    image = to_rgb(raw(name, *size, *planes))
    assert image.shape == rgb.shape
    assert np.abs(image.astype(int) - rgb).max() <= 10
    assert np.abs(image.astype(int) - rgb).mean() < 2.5


def test_three_planes_of_android_share_interleaved_memory():
    rgb = smooth(64, 48)
    luma, blue, red = yuv(rgb)
    memory = np.stack((red, blue), axis=2).tobytes()
    u, v = Plane(memory[1:], 64, 2), Plane(memory[:-1], 64, 2)
    by_planes = to_rgb(raw("I420", 64, 48, luma.tobytes(), u, v))
    assert np.array_equal(by_planes, to_rgb(raw("NV21", 64, 48, luma.tobytes(), memory)))


@pytest.mark.parametrize("width", [2, 64])
def test_yuyv_gives_its_colours(width):
    rgb = np.repeat(smooth(width // 2, 48), 2, axis=1)
    luma, _, _ = yuv(rgb)
    pixels = rgb[:, ::2].astype(float)
    blue = np.rint(128 + pixels @ (-37.945, -74.494, 112.439) / 256).astype(np.uint8)
    red = np.rint(128 + pixels @ (112.439, -94.154, -18.285) / 256).astype(np.uint8)
    quads = np.stack((luma[:, ::2], blue, luma[:, 1::2], red), axis=2)
    assert np.abs(to_rgb(raw("YUYV", width, 48, quads.tobytes())).astype(int) - rgb).max() <= 4


def test_rotation_applies_to_raw_pixels():
    rgb = face()
    picture = Picture(raw("RGB24", 64, 48, rgb.tobytes()), Rotation.QUARTER)
    assert np.array_equal(decode(picture, max_pixels=10_000), np.rot90(rgb, -1))


def test_raw_pixels_obey_the_limit_before_their_bytes_are_looked_at():
    with pytest.raises(ImageTooLarge, match="30000 x 30000"):
        decode(Picture(raw("RGB24", 30_000, 30_000, b"")), max_pixels=40_000_000)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (raw("RGB24", 4, 3, bytes(35)), "RGB24 plane 0: 36 bytes expected, 35 given"),
        (raw("RGB24", 4, 3, bytes(37)), "RGB24 plane 0: 36 bytes expected, 37 given"),
        (raw("BGR24", 4, 3, Plane(bytes(60), 20)), None),
        (raw("BGR24", 4, 3, Plane(bytes(61), 20)), "BGR24 plane 0: 52 to 60 bytes expected, 61 given"),
        (raw("BGR24", 4, 3, Plane(bytes(51), 20)), "BGR24 plane 0: 52 to 60 bytes expected, 51 given"),
        (raw("BGR24", 4, 3, Plane(bytes(36), 11)), "row_stride is 11, must be at least 12"),
        (raw("BGR24", 4, 3, Plane(bytes(36), 0, 2)), "pixel_stride is 2, must be at least 3"),
        (raw("GRAY8", 0, 3, b""), "0 x 3"),
        (raw("GRAY8", 2, 2), "GRAY8 has one plane, 0 given"),
        (raw("GRAY8", 2, 2, bytes(4), bytes(4)), "GRAY8 has one plane, 2 given"),
        (raw("YUYV", 3, 2, bytes(12)), "even, not 3"),
        (raw("NV12", 3, 3, bytes(9), bytes(7)), r"NV12 plane 1 \(chroma\): 8 bytes expected, 7 given"),
        (raw("NV12", 3, 3, bytes(16)), "in one plane take 17 bytes, 16 given"),
        (raw("NV12", 4, 4, Plane(bytes(32), 8)), "row_stride 8"),
        (raw("NV21", 4, 4, bytes(16), bytes(4), bytes(4)), "NV21 has 2 planes, or all in one, 3 given"),
        (raw("I420", 4, 4, bytes(16), bytes(8)), "I420 has 3 planes, or all in one, 2 given"),
        (raw("I420", 4, 4, bytes(16), bytes(4), bytes(3)), r"I420 plane 2 \(V\): 4 bytes expected, 3 given"),
    ],
)
def test_layouts_that_do_not_fit_are_named(layout, message):
    if message is None:
        assert to_rgb(layout).shape == (3, 4, 3)
        return
    with pytest.raises(RawLayoutError, match=message) as caught:
        to_rgb(layout)
    assert caught.value.reason is ErrorReason.RAW_LAYOUT


def test_a_stride_beyond_all_memory_is_an_error_or_one_row():
    with pytest.raises(RawLayoutError, match="bytes expected"):
        to_rgb(raw("RGB24", 4, 3, Plane(bytes(36), 2**32 - 1)))
    assert to_rgb(raw("RGB24", 4, 1, Plane(bytes(12), 2**32 - 1))).shape == (1, 4, 3)
