"""`faced bench` on small amounts: what it prints can be relied on, whatever the machine."""

import json

import cv2
import pytest

from faced_service.main import main


@pytest.fixture
def bench(capsys):
    def run(*words):
        assert main(["bench", *map(str, words), "--json"]) == 0
        return json.loads(capsys.readouterr().out)["rows"]

    return run


def refused(capsys, *words):
    code = main(["bench", *map(str, words)])
    return code, capsys.readouterr().err


def test_the_detector_without_reference_tells_its_work_and_its_memory(bench):
    (row,) = bench("detector", "--reference", "none", "--sizes", "320x240", "--rounds", 1, "--threads", 1)
    assert (row["size"], row["upsample"], row["precision"], row["backend"]) == ("320x240", 0, "exact", "onnxruntime")
    assert row["reference"] == "none"
    assert all(row[name] is None for name in ("reference_ms", "ratio", "missing", "extra", "moved"))
    assert row["gflops"] == pytest.approx(row["gflop"] / row["ms"] * 1e3, rel=0.02)
    assert 1.5 < row["gflop"] < 2.5
    assert row["peak_share"] > 0.01
    assert 100 < row["peak_mb"] < 300


def test_beside_dlib_no_box_is_missing_extra_or_moved(bench, astronaut, tmp_path):
    cv2.imwrite(str(tmp_path / "face.png"), astronaut[20:220, 120:320, ::-1])
    (row,) = bench("detector", "--image", tmp_path / "face.png", "--rounds", 1)
    assert (row["reference"], row["boxes"], row["missing"], row["extra"], row["moved"]) == ("dlib", 1, 0, 0, 0)
    assert row["ratio"] == pytest.approx(row["reference_ms"] / row["ms"], rel=0.02)
    assert row["ratio"] > 1


@pytest.mark.slow
def test_720p_stays_within_its_memory(bench):
    (row,) = bench("detector", "--reference", "none", "--sizes", "1280x720", "--rounds", 1)
    assert row["peak_mb"] <= 350


def test_memory_stays_flat_over_frames_of_many_sizes(bench):
    (row,) = bench("memory", "--frames", 48, "--sizes", 12)
    assert (row["frames"], row["sizes"]) == (48, 12)
    assert row["start_mb"] < row["settled_mb"] <= row["peak_mb"] < 500
    assert row["growth_percent"] < 3


def test_too_few_frames_for_the_sizes_are_refused(capsys):
    assert refused(capsys, "memory", "--frames", 10, "--sizes", 12) == (
        3,
        "faced bench: 10 frames are too few for 12 sizes: each comes in the first quarter\n",
    )


def test_recall_on_a_labelled_picture(bench, astronaut, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), astronaut[:256, 96:352, ::-1])
    (tmp_path / "training.xml").write_text(
        "<dataset><images><image file='a.png'><box left='76' top='73' width='94' height='94'/>"
        "<box left='0' top='0' width='50' height='50' ignore='1'/></image></images></dataset>"
    )
    rows = bench("recall", "--data", tmp_path, "--rounds", 1)
    assert [(row["detector"], row["upsample"], row["min_face_px"]) for row in rows] == [
        ("ours", 0, 80),
        ("dlib HOG", 0, 80),
        ("ours", 1, 40),
        ("dlib HOG", 1, 40),
        ("ours", 2, 20),
    ]
    assert all((row["pictures"], row["faces"]) == (1, 1) for row in rows)
    assert all(row["recall"] == 1.0 and row["precision"] == 1.0 for row in rows if row["upsample"] == 0)


def test_recall_names_what_it_cannot_read(capsys, tmp_path):
    code, said = refused(capsys, "recall", "--data", tmp_path)
    assert code == 3
    assert "training.xml: cannot be read" in said
    (tmp_path / "training.xml").write_text("<dataset><images><image file='none.jpg'/></images></dataset>")
    code, said = refused(capsys, "recall", "--data", tmp_path)
    assert code == 3
    assert "none.jpg: not a picture" in said


@pytest.mark.data
def test_upsampled_once_we_find_what_dlibs_hog_finds_and_no_more_wrongly(bench, data_dir):
    rows = {
        (row["detector"], row["upsample"]): row
        for row in bench("recall", "--data", data_dir / "detection", "--rounds", 1)
    }
    ours, hog = rows["ours", 1], rows["dlib HOG", 1]
    assert ours["faces"] == hog["faces"] == 9
    assert ours["recall"] >= hog["recall"]
    assert ours["precision"] >= hog["precision"]
