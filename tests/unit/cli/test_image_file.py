import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from faced_cli.errors import InputError
from faced_cli.image_file import annotated_path, picture_files, read_bytes, real_path, write_picture


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


def test_a_copy_has_no_name_of_a_picture_that_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    photo = Path("out/photo.annotated.jpg")
    photo.write_bytes(b"photo")
    Path("out/photo-2.annotated.jpg").symlink_to(photo.absolute())
    Path("link").symlink_to("out")
    for folder in (Path("out"), Path("link"), tmp_path / "out"):
        assert annotated_path(folder, Path("photo.jpg"), {real_path(photo)}) == folder / "photo-3.annotated.jpg"


def test_a_link_to_itself_takes_no_name(tmp_path):
    loop = tmp_path / "a.annotated.png"
    loop.symlink_to(loop)
    assert annotated_path(tmp_path, Path("a.png"), set()) == loop


def test_a_folder_holds_the_kinds_that_can_be_read(tmp_path):
    (tmp_path / "below").mkdir()
    names = ("a.webp", "b.JPG", "below/c.WebP", "d.jpeg", "e.png", "f.bmp")
    for name in (*names, "g.tif", "h.tiff", "i.txt", "webp", "j.webp.part"):
        (tmp_path / name).touch()
    assert picture_files(tmp_path) == [tmp_path / name for name in names]


def test_a_folder_of_other_kinds_has_no_pictures(tmp_path):
    (tmp_path / "scan.tif").touch()
    with pytest.raises(InputError, match="is a folder without pictures"):
        picture_files(tmp_path)
