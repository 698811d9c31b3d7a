import io
import struct
import time
import zlib
from contextlib import suppress

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from faced_proto.types import ErrorReason, Rotation
from faced_service.errors import FacedError, ImageError
from faced_service.images import EncodedImage, Picture, decode

LIMIT = 40_000_000
FORMATS = {"JPEG": ".jpg", "PNG": ".png", "WebP": ".webp", "BMP": ".bmp"}


def face(width=160, height=120):
    return np.ascontiguousarray(cv2.resize(astronaut()[:300, 100:400], (width, height), interpolation=cv2.INTER_AREA))


def encode(rgb, extension, *parameters):
    ok, data = cv2.imencode(extension, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), list(parameters))
    assert ok
    return data.tobytes()


def with_pillow(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def read(data, rotation=Rotation.NONE, *, ignore_exif=False, max_pixels=LIMIT):
    return decode(Picture(EncodedImage(data, ignore_exif), rotation), max_pixels=max_pixels)


def reason_of(data, **options):
    with pytest.raises(FacedError) as caught:
        read(data, **options)
    assert str(caught.value)
    return caught.value.reason


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, *chunks):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunk(*pair) for pair in chunks)


@pytest.mark.parametrize("extension", [".png", ".bmp"])
def test_lossless_files_give_their_pixels(extension):
    rgb = face()
    assert np.array_equal(read(encode(rgb, extension)), rgb)


def test_lossless_webp_gives_its_pixels():
    rgb = face()
    assert np.array_equal(read(with_pillow(Image.fromarray(rgb), "WEBP", lossless=True, exact=True)), rgb)


@pytest.mark.parametrize(("extension", "tolerance"), [(".jpg", 4.0), (".webp", 4.0)])
def test_lossy_files_come_close_with_red_first(extension, tolerance):
    rgb = face()
    decoded = read(encode(rgb, extension))
    assert decoded.shape == rgb.shape
    assert np.abs(decoded.astype(int) - rgb).mean() < tolerance


@pytest.mark.parametrize("extension", FORMATS.values())
def test_one_pixel_is_a_picture(extension):
    assert read(encode(np.full((1, 1, 3), 200, np.uint8), extension)).shape == (1, 1, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
def test_grey_becomes_three_equal_channels(kind):
    grey = face()[:, :, 1]
    decoded = read(with_pillow(Image.fromarray(grey), kind))
    assert decoded.shape == (120, 160, 3)
    assert np.array_equal(decoded[:, :, 0], decoded[:, :, 2])
    assert np.abs(decoded[:, :, 0].astype(int) - grey).mean() < 3


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("BMP", {})])
def test_alpha_is_ignored(kind, options):
    rgb = face()
    alpha = np.tile(np.linspace(0, 255, 160).astype(np.uint8), (120, 1))
    data = with_pillow(Image.fromarray(np.dstack((rgb, alpha))), kind, **options)
    assert np.array_equal(read(data), rgb)


def test_16_bits_become_8():
    rgb = face()
    ok, data = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR).astype(np.uint16) * 256 + 37)
    assert ok
    assert np.array_equal(read(data.tobytes()), rgb)


@pytest.mark.parametrize("transparent", [False, True])
def test_palette_png_gives_its_colours(transparent):
    palette = Image.fromarray(face()).quantize(64)
    options = {"transparency": 3} if transparent else {}
    assert np.array_equal(read(with_pillow(palette, "PNG", **options)), np.asarray(palette.convert("RGB")))


def test_cmyk_jpeg_gives_the_right_colours():
    rgb = np.zeros((64, 192, 3), np.uint8)
    rgb[:, :64], rgb[:, 64:128], rgb[:, 128:] = (220, 30, 40), (20, 190, 60), (30, 40, 230)
    decoded = read(with_pillow(Image.fromarray(rgb).convert("CMYK"), "JPEG", quality=95))
    for column in (32, 96, 160):
        assert np.abs(decoded[32, column].astype(int) - rgb[32, column]).max() <= 12


def test_progressive_jpeg_and_jpeg_with_restarts_are_read():
    rgb = face()
    for parameters in ((cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 2)):
        assert np.abs(read(encode(rgb, ".jpg", *parameters)).astype(int) - rgb).mean() < 4


# Orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("kind", "order"), [("PNG", "<"), ("PNG", ">"), ("WEBP", "<"), ("JPEG", ">")])
def test_exif_orientation_is_undone(orientation, kind, order):
    rgb = face()
    directory = struct.pack(order + "HHHIHH", 1, 0x0112, 3, 1, orientation, 0)
    exif = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8) + directory + bytes(4)
    options = {"PNG": {}, "WEBP": {"lossless": True, "exact": True}, "JPEG": {"quality": 100, "subsampling": 0}}[kind]
    data = with_pillow(Image.fromarray(rgb), kind, exif=b"Exif\0\0" + exif, **options)
    expected = {
        1: rgb,
        2: rgb[:, ::-1],
        3: rgb[::-1, ::-1],
        4: rgb[::-1],
        5: rgb.transpose(1, 0, 2),
        6: np.rot90(rgb, -1),
        7: np.rot90(rgb, 2).transpose(1, 0, 2),
        8: np.rot90(rgb, 1),
    }[orientation]
    upright = read(data)
    assert upright.shape == expected.shape
    assert np.abs(upright.astype(int) - expected).mean() < 1
    assert upright.flags.c_contiguous
    assert np.abs(read(data, ignore_exif=True).astype(int) - rgb).mean() < 1


@pytest.mark.parametrize(
    ("rotation", "turns"), [(Rotation.QUARTER, -1), (Rotation.HALF, 2), (Rotation.THREE_QUARTERS, 1)]
)
def test_rotation_turns_clockwise_after_exif(rotation, turns):
    rgb = face()
    exif = b"MM\x00\x2a\x00\x00\x00\x08" + struct.pack(">HHHIHH", 1, 0x0112, 3, 1, 6, 0) + bytes(4)
    data = with_pillow(Image.fromarray(rgb), "PNG", exif=exif)
    assert np.array_equal(read(data, rotation), np.rot90(np.rot90(rgb, -1), turns))
    assert np.array_equal(read(data, rotation, ignore_exif=True), np.rot90(rgb, turns))


@pytest.mark.parametrize(
    "block",
    [b"", b"II", b"XX" + bytes(20), b"II\x2a\x00\xff\xff\xff\xff", b"II\x2a\x00\x08\x00\x00\x00\xff\xff" + bytes(5)],
)
def test_broken_exif_counts_as_upright(block):
    rgb = face()
    data = encode(rgb, ".jpg")
    segment = b"\xff\xe1" + struct.pack(">H", 8 + len(block)) + b"Exif\0\0" + block
    assert read(data[:2] + segment + data[2:]).shape == rgb.shape


# Bad files


def test_no_bytes_and_no_picture_are_empty():
    assert reason_of(b"") is ErrorReason.IMAGE_EMPTY
    with pytest.raises(FacedError) as caught:
        decode(Picture(None), max_pixels=LIMIT)
    assert caught.value.reason is ErrorReason.IMAGE_EMPTY


@pytest.mark.parametrize(
    "data", [b"hello, this is no picture", b"GIF89a" + bytes(50), b"BMW is no bitmap, is it?", bytes(64)]
)
def test_other_bytes_are_unsupported(data):
    assert reason_of(data) is ErrorReason.IMAGE_UNSUPPORTED


@pytest.mark.parametrize("extension", FORMATS.values())
def test_every_shortened_file_is_refused(extension):
    whole = encode(face(), extension)
    lengths = {*range(1, 64), *np.linspace(64, len(whole) - 1, 150).astype(int).tolist(), len(whole) - 1}
    for length in sorted(lengths):
        reason = reason_of(whole[:length])
        assert reason is ErrorReason.IMAGE_TRUNCATED, (extension, length, reason)


def test_progressive_jpeg_without_its_last_scans_is_truncated():
    whole = encode(face(), ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    for share in (0.3, 0.6, 0.9):
        assert reason_of(whole[: int(len(whole) * share)]) is ErrorReason.IMAGE_TRUNCATED


def test_truncated_jpeg_with_a_whole_thumbnail_is_truncated():
    thumbnail, whole = encode(face(32, 24), ".jpg"), encode(face(), ".jpg")
    segment = b"\xff\xe1" + struct.pack(">H", 8 + len(thumbnail)) + b"Exif\0\0" + thumbnail
    data = whole[:2] + segment + whole[2:]
    assert read(data).shape == (120, 160, 3)
    assert reason_of(data[: len(data) // 2]) is ErrorReason.IMAGE_TRUNCATED


@pytest.mark.parametrize("size", [(30_000, 30_000), (2**31 - 1, 2**31 - 1)])
def test_a_huge_header_is_refused_before_decoding(size):
    assert reason_of(png(*size)) is ErrorReason.IMAGE_TOO_LARGE


def test_huge_headers_of_all_formats_are_refused():
    jpeg = bytearray(encode(face(), ".jpg"))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 30_000, 30_000)
    bmp = bytearray(encode(face(), ".bmp"))
    bmp[18:26] = struct.pack("<ii", 30_000, -30_000)
    extended = b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<IIHBHB", 10, 0, 29_999, 0, 29_999, 0)
    for data in (bytes(jpeg), bytes(bmp), extended):
        assert reason_of(data, max_pixels=LIMIT) is ErrorReason.IMAGE_TOO_LARGE


def test_the_limit_names_size_and_limit_and_lets_its_own_size_pass():
    data = encode(face(), ".png")
    assert read(data, max_pixels=160 * 120).shape == (120, 160, 3)
    with pytest.raises(FacedError, match=r"160 x 120 = 19200 pixels.*max_pixels is 19199"):
        read(data, max_pixels=160 * 120 - 1)


def test_sizes_of_zero_are_corrupt():
    jpeg = bytearray(encode(face(), ".jpg"))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 7] = b"\0\0"
    assert reason_of(bytes(jpeg)) is ErrorReason.IMAGE_CORRUPT
    assert reason_of(png(0, 10)) is ErrorReason.IMAGE_CORRUPT


def test_compressed_texts_are_not_unpacked():
    """Each of these has 8 MB: the decoder would take 2 s for them."""
    data = encode(face(), ".png")
    text = b"Comment\0\0" + zlib.compress(bytes(8_000_000), 9)
    header = data[:33]
    texts = b"".join(chunk(b"zTXt", text) for _ in range(100))
    begin = time.process_time()
    assert (read(header + texts + data[33:]) == face()).all()
    assert time.process_time() - begin < 0.5


def test_png_with_a_flipped_byte_is_corrupt():
    data = bytearray(encode(face(), ".png"))
    data[len(data) // 2] ^= 0xFF
    assert reason_of(bytes(data)) is ErrorReason.IMAGE_CORRUPT


def test_png_whose_pixels_end_early_is_refused():
    rows = zlib.compress(bytes(30 * (1 + 100 * 3)))
    assert reason_of(png(100, 60, (b"IDAT", rows), (b"IEND", b""))) is ErrorReason.IMAGE_CORRUPT
    whole = zlib.compress(bytes(60 * (1 + 100 * 3)))
    assert read(png(100, 60, (b"IDAT", whole), (b"IEND", b""))).shape == (60, 100, 3)


def test_jpeg_cut_open_in_the_middle_is_no_crash():
    data = encode(face(), ".jpg")
    assert reason_of(data[:300] + b"\x00\x11" + data[302:10]) in (
        ErrorReason.IMAGE_TRUNCATED,
        ErrorReason.IMAGE_CORRUPT,
    )


def test_random_damage_gives_a_picture_or_an_image_error():
    random = np.random.default_rng(5)
    for extension in FORMATS.values():
        whole = encode(face(40, 30), extension)
        for _ in range(60):
            data = bytearray(whole)
            for at in random.integers(0, len(data), random.integers(1, 6)):
                data[at] = random.integers(0, 256)
            with suppress(ImageError):
                assert read(bytes(data)).dtype == np.uint8


def test_a_million_chunks_are_refused_before_a_decoder_sees_them(capfd):
    texts = b"\0\0\0\0tEXt" + struct.pack(">I", zlib.crc32(b"tEXt"))
    whole = png(4, 4, (b"IDAT", zlib.compress(bytes(4 * 13))), (b"IEND", b""))
    assert read(whole[:33] + 9_000 * texts + whole[33:]).shape == (4, 4, 3)
    capfd.readouterr()
    with pytest.raises(ImageError, match="more than 10000 chunks") as caught:
        read(whole[:33] + 1_000_000 * texts + whole[33:])
    assert caught.value.reason is ErrorReason.IMAGE_CORRUPT
    webp = encode(face(), ".webp") + 1_000_000 * b"JUNK\0\0\0\0"
    with pytest.raises(ImageError, match="more than 10000 chunks"):
        read(webp[:4] + struct.pack("<I", len(webp) - 8) + webp[8:])
    assert capfd.readouterr().err == ""


def test_pixels_in_very_many_chunks_are_no_complaint():
    rgb = np.random.default_rng(1).integers(0, 256, (900, 4, 3), np.uint8)
    rows = zlib.compress(np.pad(rgb.reshape(900, 12), ((0, 0), (1, 0))).tobytes(), 0)
    assert len(rows) > 10_000
    assert np.array_equal(read(png(4, 900, *((b"IDAT", bytes([byte])) for byte in rows), (b"IEND", b""))), rgb)


def test_a_side_beyond_the_decoders_limit_is_too_large():
    rows = zlib.compress(bytes(1 + 3 * 1_000_001))
    with pytest.raises(ImageError, match="1000001 x 1 pixels; a side of a PNG picture has at most 1000000") as caught:
        read(png(1_000_001, 1, (b"IDAT", rows), (b"IEND", b"")))
    assert caught.value.reason is ErrorReason.IMAGE_TOO_LARGE
    rows = zlib.compress(bytes(1 + 3 * 1_000_000))
    assert read(png(1_000_000, 1, (b"IDAT", rows), (b"IEND", b""))).shape == (1, 1_000_000, 3)
    bmp = b"BM" + struct.pack("<IHHIIiiHHIIIIII", 0, 0, 0, 54, 40, (1 << 20) + 1, 1, 1, 24, 0, 0, 0, 0, 0, 0)
    assert reason_of(bmp + bytes(4 << 20)) is ErrorReason.IMAGE_TOO_LARGE


def test_a_webp_chunk_longer_than_its_file_is_corrupt():
    data = bytearray(encode(face(), ".webp"))
    data[16:20] = struct.pack("<I", len(data) + 100)
    with pytest.raises(ImageError, match="chunk 'VP8L' at byte 12 is longer than the file") as caught:
        read(bytes(data))
    assert caught.value.reason is ErrorReason.IMAGE_CORRUPT
