import json
import subprocess
import sys

import cv2
import numpy as np
import pytest


def without_timing(text: str) -> list[dict[str, object]]:
    rows = [json.loads(line) for line in text.splitlines()]
    for row in rows:
        row.pop("timing_ms")
    return rows


def test_embedded_and_remote_give_the_same_numbers_to_the_last_digit(cli, server, portrait):
    code, embedded, _ = cli("image", portrait, "--json")
    assert code == 0
    code, remote, _ = cli("--server", server, "image", portrait, "--json")
    assert code == 0
    assert without_timing(embedded) == without_timing(remote)
    (row,) = without_timing(embedded)
    (face,) = row["faces"]
    assert row["applied_scale"] == 2.0
    assert face["attributes"]["emotion"]["label"] == "happy"
    for name in ("emotion", "age", "age_group", "gender"):
        assert sum(face["attributes"][name]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert abs(face["box"]["left"] - (165 - 96)) <= 2
    assert len(face["landmarks"]) == 5


def test_options_reach_the_server(cli, server, portrait):
    _, text, _ = cli("image", portrait, "--json", "--server", server, "--attributes", "none", "--upsample", "0")
    (row,) = without_timing(text)
    assert (row["applied_scale"], row["min_detectable_px"]) == (1.0, 80.0)
    assert row["faces"][0]["attributes"] == {}
    _, text, _ = cli("image", portrait, "--json", "--server", server, "--threshold", "5")
    assert without_timing(text)[0]["faces"] == []
    _, text, _ = cli("image", portrait, "--json", "--server", server, "--attributes", "gender,age")
    assert list(without_timing(text)[0]["faces"][0]["attributes"]) == ["gender", "age"]


def test_bad_pictures_are_told_by_name_and_do_not_stop_the_others(cli, server, portrait, tmp_path):
    whole = portrait.read_bytes()
    jpeg = tmp_path / "cut.jpg"
    ok, encoded = cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))
    assert ok
    jpeg.write_bytes(encoded.tobytes()[:-200])
    bad = {"empty.png": b"", "text.jpg": b"no picture at all", "cut.png": whole[: len(whole) // 2]}
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "no-pictures").mkdir()
    paths = [tmp_path / name for name in (*bad, "cut.jpg", "missing.jpg")] + [tmp_path / "no-pictures", portrait]
    code, out, err = cli("image", *paths, "--json", "--server", server)
    assert code == 3
    told = err.splitlines()
    assert len(told) == 6
    for path, line in zip(paths, told, strict=False):
        assert line.startswith(f"faced-cli: {path}: ")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["source"] for row in rows] == [str(path) for path in paths]
    assert [row.get("error") for row in rows] == [
        "image_empty", "image_unsupported", "image_truncated", "image_truncated", "unreadable", "unreadable", None,
    ]  # fmt: skip
    assert len(rows[-1]["faces"]) == 1


def test_no_faces_is_done(cli, server, tmp_path):
    path = tmp_path / "grey.png"
    cv2.imwrite(str(path), np.full((100, 100, 3), 128, np.uint8))
    code, out, _ = cli("image", path, "--server", server)
    assert code == 0
    assert "no faces" in out


def test_unknown_attribute_is_a_usage_error(cli, server, portrait):
    code, out, err = cli("image", portrait, "--server", server, "--attributes", "mood", "--json")
    assert (code, out) == (2, "")
    assert "mood" in err


def test_threshold_out_of_range_is_a_usage_error(cli, server, portrait):
    assert cli("image", portrait, "--server", server, "--threshold", "99")[0] == 2


def test_annotated_copies(cli, server, portrait, tmp_path):
    other = tmp_path / "sub" / "portrait.png"
    other.parent.mkdir()
    other.write_bytes(portrait.read_bytes())
    folder = tmp_path / "new" / "folder"
    code, out, _ = cli("image", portrait, other, "--annotate", folder, "--server", server)
    assert code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["portrait-2.annotated.png", "portrait.annotated.png"]
    before, after = cv2.imread(str(portrait)), cv2.imread(str(folder / "portrait.annotated.png"))
    assert before.shape == after.shape
    assert (before != after).any(axis=2).mean() > 0.1
    assert "\x1b" not in out
    assert max(len(line) for line in out.splitlines() if "drawn" not in line) <= 80


def test_blur_hides_the_face_in_the_copy(cli, server, portrait, tmp_path):
    for folder, flags in {"none": (), "faces": ("--blur", "faces"), "all": ("--blur", "all")}.items():
        code, _, _ = cli(
            *("image", portrait, "--annotate", tmp_path / folder, "--panel", "none", *flags, "--server", server)
        )
        assert code == 0
    sharp, faces, everything = (
        cv2.Laplacian(cv2.imread(str(tmp_path / folder / "portrait.annotated.png")), cv2.CV_64F)
        for folder in ("none", "faces", "all")
    )
    inside, outside = np.s_[90:120, 90:150], np.s_[200:, :60]
    assert sharp[inside].std() > 10 * faces[inside].std()
    assert sharp[outside].std() == faces[outside].std() > 5 * everything[outside].std()


def test_turned_photo_is_drawn_upright(cli, server, head, tmp_path):
    # EXIF orientation 6: the camera was turned, shown upright after a quarter turn clockwise.
    ok, encoded = cv2.imencode(".jpg", np.ascontiguousarray(np.rot90(head)[:, :, ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert ok
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    data = encoded.tobytes()
    path = tmp_path / "turned.jpg"
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    code, out, _ = cli("image", path, "--annotate", tmp_path / "out", "--json", "--server", server)
    assert code == 0
    (row,) = without_timing(out)
    assert len(row["faces"]) == 1
    drawn = cv2.imread(str(tmp_path / "out" / "turned.annotated.jpg"))[:, :, ::-1]
    box = row["faces"][0]["box"]
    inside = (
        slice(int(box["top"]) + 20, int(box["bottom"]) - 20),
        slice(int(box["left"]) + 20, int(box["right"]) - 20),
    )
    assert abs(drawn[inside].astype(int) - head[inside]).mean() < 15


def test_reader_that_leaves_early_gets_no_traceback(server, portrait):
    command = [sys.executable, "-m", "faced_cli.main", "image", *[portrait] * 4, "--json", "--server", server]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        err = process.stderr.read().decode()
    assert err == ""
    assert process.returncode == 141


def test_a_folder_stands_for_the_pictures_in_it(cli, server, portrait):
    (portrait.parent / "notes.txt").write_text("no picture")
    below = portrait.parent / "below"
    below.mkdir()
    (below / "second.png").write_bytes(portrait.read_bytes())
    code, out, _ = cli("image", portrait.parent, "--json", "--server", server)
    sources = [json.loads(line)["source"] for line in out.splitlines()]
    assert (code, sources) == (0, [str(below / "second.png"), str(portrait)])


def test_a_folder_without_pictures_is_told(cli, server, tmp_path):
    code, out, err = cli("image", tmp_path, "--json", "--server", server)
    assert code == 3
    assert json.loads(out)["source"] == str(tmp_path)
    assert f"{tmp_path}: is a folder without pictures" in err


def test_a_folder_s_webp_is_analysed_and_its_tiff_is_not(cli, server, head, tmp_path):
    for suffix in ("webp", "tiff"):
        cv2.imwrite(str(tmp_path / f"portrait.{suffix}"), head[:, :, ::-1])
    code, out, err = cli("image", tmp_path, "--json", "--server", server)
    assert (code, err) == (0, "")
    (row,) = without_timing(out)
    assert row["source"] == str(tmp_path / "portrait.webp")
    assert len(row["faces"]) == 1


@pytest.mark.parametrize("named", ["out/portrait.annotated.png", "out"])
def test_no_copy_replaces_a_picture_that_is_read(cli, server, portrait, tmp_path, monkeypatch, named):
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "out" / "portrait.annotated.png"
    source.parent.mkdir()
    content = portrait.read_bytes()
    source.write_bytes(content)
    # Relative names, and the picture that the copy would replace comes after it.
    code, out, _ = cli("image", "portrait.png", named, "--annotate", "out", "--json", "--server", server)
    assert code == 0
    assert [row["source"] for row in without_timing(out)] == ["portrait.png", "out/portrait.annotated.png"]
    assert source.read_bytes() == content
    assert sorted(path.name for path in source.parent.iterdir()) == [
        "portrait-2.annotated.png", "portrait.annotated.annotated.png", "portrait.annotated.png",
    ]  # fmt: skip
