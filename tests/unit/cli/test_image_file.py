import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from faced_cli.errors import InputError
from faced_cli.image_file import annotated_path, read_bytes, write_picture


def test_devices_are_not_read():
    with pytest.raises(InputError, match="/dev/zero: is neither a file nor a pipe"):
        read_bytes(Path("/dev/zero"))


def test_no_more_than_a_message_is_read(tmp_path):
    path = tmp_path / "large.bmp"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # without a block on the disk
    with pytest.raises(InputError, match=r"large\.bmp: holds more than 128 MiB"):
        read_bytes(path)


def test_a_pipe_is_read(tmp_path):
    reader, writer = os.pipe()
    os.write(writer, b"picture")
    os.close(writer)
    try:
        assert read_bytes(Path(f"/dev/fd/{reader}")) == b"picture"
    finally:
        os.close(reader)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("a.jpg", "a.annotated.jpg"),
        ("a.JPEG", "a.annotated.jpeg"),
        ("a.png", "a.annotated.png"),
        ("a.webp", "a.annotated.webp"),
        ("a.bmp", "a.annotated.bmp"),
        ("a", "a.annotated.png"),
    ],
)
def test_annotated_copies_of_equal_stems_do_not_meet(tmp_path, source, name):
    path = annotated_path(tmp_path, Path(source), set())
    assert path == tmp_path / name
    image = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
    write_picture(path, image)
    read = cv2.imread(str(path))[:, :, ::-1]
    assert read.shape == image.shape
    if path.suffix not in (".jpg", ".jpeg"):
        assert (read == image).all()
