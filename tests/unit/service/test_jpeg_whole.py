"""JPEG files whose scans do not hold their picture, though all their segments are there."""

import io
import re
import struct
from contextlib import suppress

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from faced_proto.types import ErrorReason
from faced_service.errors import ImageError
from faced_service.images import EncodedImage, Picture, decode

KINDS = {
    "sequential": {},
    "progressive": {"progressive": True},
    "optimised": {"optimize": True},
    "full colour": {"subsampling": 0},
    "progressive, 4:2:2": {"progressive": True, "subsampling": 1},
    "restarts": {"restart_marker_blocks": 3},
    "progressive, restarts": {"progressive": True, "restart_marker_rows": 1},
}
EOI = b"\xff\xd9"


def jpeg(size=(149, 107), mode="RGB", **options):
    picture = cv2.resize(astronaut(), size, interpolation=cv2.INTER_AREA)
    buffer = io.BytesIO()
    Image.fromarray(picture).convert(mode).save(buffer, "JPEG", **{"quality": 90, **options})
    return buffer.getvalue()


def read(data):
    return decode(Picture(EncodedImage(data)), max_pixels=10_000_000)


def reason_of(data):
    with pytest.raises(ImageError) as caught:
        read(data)
    return caught.value.reason


def scan_starts(data):
    """Where the data of each scan begin."""
    return [at.end() + struct.unpack_from(">H", data, at.end())[0] for at in re.finditer(b"\xff\xda", data)]


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("size", [(149, 107), (8, 8), (1, 1), (16, 33)])
def test_whole_files_of_all_kinds_are_read(options, mode, size):
    if mode != "RGB":
        options = {name: value for name, value in options.items() if name != "subsampling"}
    assert read(jpeg(size, mode, **options)).shape == (size[1], size[0], 3)


def test_a_flat_picture_is_whole():
    for progressive in (0, 1):
        flat = np.full((200, 300, 3), 128, np.uint8)
        ok, data = cv2.imencode(".jpg", flat, [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive])
        assert ok
        assert (read(data.tobytes()) == 128).all()


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_scan_that_ends_early_is_refused_though_the_end_is_marked(options, share):
    data = jpeg(**options)
    start = scan_starts(data)[-1]
    cut = start + int((len(data) - 2 - start) * share)
    assert reason_of(data[:cut].rstrip(b"\xff") + EOI) is ErrorReason.IMAGE_TRUNCATED


def test_a_progressive_file_without_its_last_scans_is_refused():
    data = jpeg(progressive=True)
    starts = scan_starts(data)
    assert len(starts) == 10
    for start in starts[1:]:
        before = data.rindex(b"\xff\xda", 0, start)
        assert reason_of(data[:before] + EOI) is ErrorReason.IMAGE_TRUNCATED


def test_a_header_that_is_taller_than_the_pixels_is_refused():
    for options in KINDS.values():
        data = bytearray(jpeg(**options))
        at = next(re.finditer(b"\xff[\xc0\xc2]\x00\x11", data)).start()
        data[at + 5 : at + 7] = struct.pack(">H", 107 + 32)
        assert reason_of(bytes(data)) is ErrorReason.IMAGE_TRUNCATED


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_bytes_that_are_missing_within_are_noticed(options):
    data = jpeg((400, 300), **options)
    start = scan_starts(data)[0] + 200
    assert reason_of(data[:start] + data[start + 300 :]) in (ErrorReason.IMAGE_TRUNCATED, ErrorReason.IMAGE_CORRUPT)


def test_damaged_scans_and_tables_give_a_picture_or_an_image_error():
    random = np.random.default_rng(3)
    for options in KINDS.values():
        whole = jpeg((64, 48), **options)
        for _ in range(60):
            data = bytearray(whole)
            for at in random.integers(2, len(data), 3):
                data[at] = random.integers(0, 256)
            with suppress(ImageError):
                assert read(bytes(data)).dtype == np.uint8


def test_a_file_may_leave_out_the_standard_tables():
    data = jpeg((64, 48))
    bare = re.sub(rb"\xff\xc4\x00\x1f.{29}|\xff\xc4\x00\xb5.{179}", b"", data, flags=re.DOTALL)
    assert len(bare) == len(data) - 2 * 33 - 2 * 183
    assert np.array_equal(read(bare), read(data))


def test_fill_bytes_and_many_segments_cost_nothing():
    data = jpeg((64, 48))
    assert read(data[:2] + b"\xff" * 5_000_000 + data[2:]).shape == (48, 64, 3)
    for junk in (b"\xff\x01", b"\xff\xfe\x00\x02"):
        with pytest.raises(ImageError, match="more than 10000 segments") as caught:
            read(data[:2] + junk * 1_000_000 + data[2:])
        assert caught.value.reason is ErrorReason.IMAGE_CORRUPT
