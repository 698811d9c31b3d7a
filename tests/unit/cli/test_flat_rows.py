import csv
import io
from dataclasses import replace

import pytest

from faced_cli.errors import ModelsError
from faced_cli.flat_rows import Column, columns, columns_for, csv_head, csv_lines, records
from faced_cli.parquet_file import ParquetFile
from faced_cli.video_row import VideoRow
from faced_models.manifest import load_manifest
from faced_proto.types import (
    Categories,
    DropReason,
    Engine,
    ErrorReason,
    FrameDropped,
    FrameFailure,
    FrameOutcome,
    IntegerBins,
    Limits,
    ModelInfo,
    ModelRole,
    Precision,
    ServerInfo,
)

AXES = {
    "emotion": Categories(("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")),
    "gender": Categories(("female", "male")),
    "age": IntegerBins(0, 1, True, 81),
}
MODELS = [ModelInfo(f"{n}@1", ModelRole.ATTRIBUTE, n, axis, False, "MIT", 64) for n, axis in AXES.items()]


@pytest.fixture
def rows(face, analysis):
    results = [
        analysis(640, 480, face(100, 50, 200, 150, track_id=7), face(300, 50, 400, 150)),
        analysis(640, 480),
        FrameFailure(ErrorReason.MODEL_FAILED, "no memory"),
        FrameDropped(DropReason.DRAINING),
    ]
    return [
        VideoRow('a "clip", mine.mp4', i, i / 25, 0.04, FrameOutcome(i, 40_000 * i, result))
        for i, result in enumerate(results)
    ]


def test_a_record_for_each_face_and_one_for_each_frame_without(rows):
    found = [record for row in rows for record in records(row)]
    assert [record["frame"] for record in found] == [0, 0, 1, 2, 3]
    first = found[0]
    assert (first["track_id"], first["left"], first["bottom"], first["score"]) == (7, 100.0, 150.0, 1.1)
    assert (first["emotion"], first["emotion_happy"], first["age_low"], first["age_high"]) == ("happy", 0.9, 24, 44)
    assert first["age"] == pytest.approx(34, abs=0.01)
    assert first["withheld"] == "gender: may_be_minor"
    assert found[1]["track_id"] is None
    assert set(found[2]) == {"source", "frame", "time_s"}
    assert [record.get("error") for record in found] == [None] * 3 + ["model_failed", "dropped: draining"]


def test_csv_reads_back_with_every_column(rows):
    of = columns(MODELS)
    text = csv_head(of) + "".join(csv_lines(of, row) for row in rows)
    back = list(csv.DictReader(io.StringIO(text)))
    assert len(back) == 5
    assert list(back[0]) == [column.name for column in of]
    assert back[0]["source"] == 'a "clip", mine.mp4'
    assert (back[0]["emotion_sad"], back[0]["gender"], back[2]["emotion"]) == ("0.008", "", "")
    assert back[3]["error"] == "model_failed"


def test_parquet_has_the_same_records_and_types(rows, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "faces.parquet"
    file = ParquetFile(path, columns(MODELS))
    file.close()
    assert not list(tmp_path.iterdir())
    for row in rows * 400:
        file.write(row)
    file.close()
    assert [found.name for found in tmp_path.iterdir()] == ["faces.parquet"]
    table = parquet.read_table(path)
    assert table.num_rows == 2000
    assert parquet.ParquetFile(path).num_row_groups == 2
    assert str(table.schema.field("track_id").type) == "int64"
    first, *_ = table.to_pylist()
    assert (first["track_id"], first["emotion_happy"], first["gender_male"]) == (7, 0.9, None)


@pytest.fixture
def labelled(face, analysis):
    """A face, and a lamp that a second detector found."""
    found, lamp = face(100, 50, 200, 150), face(300, 50, 340, 90)
    lamp = replace(lamp, detection=replace(lamp.detection, label="lamp"), attributes=())
    outcome = FrameOutcome(0, 0, analysis(640, 480, found, lamp))
    return VideoRow("scene.mp4", 0, 0.0, 0.04, outcome)


def test_csv_of_two_detectors_tells_things_by_their_label(labelled):
    of = columns(MODELS, labels=True)
    head, *lines = csv.reader(io.StringIO(csv_head(of) + csv_lines(of, labelled)))
    at = head.index("label")
    assert head[at - 1 : at + 2] == ["score", "label", "emotion"]
    assert [(line[at], line[at + 1]) for line in lines] == [("", "happy"), ("lamp", "")]


def test_parquet_of_two_detectors_tells_things_by_their_label(labelled, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "things.parquet"
    file = ParquetFile(path, columns(MODELS, labels=True))
    file.write(labelled)
    file.close()
    table = parquet.read_table(path).to_pylist()
    assert [(row["label"], row["emotion"]) for row in table] == [(None, "happy"), ("lamp", None)]


def server_of(*detectors):
    models = [ModelInfo(name, ModelRole.DETECTOR, "", None, False, "CC0", 80) for name in detectors]
    engine = Engine("cpu", "onnxruntime", Precision.EXACT, detectors[0])
    return ServerInfo("1", engine, (*models, *MODELS), ("emotion",), Limits(1, 1, 1, 1))


def test_a_server_of_the_built_in_detector_has_no_column_of_labels():
    assert Column("label", str) not in columns_for(server_of(load_manifest().detector.model_id), ["emotion"])


@pytest.mark.parametrize("added", [("cats@1+12345678",), ("mmod@1+12345678",), (None, "cats@1+12345678")])
def test_a_server_of_other_detectors_has_a_column_of_labels(added):
    detectors = [name or load_manifest().detector.model_id for name in added]
    assert Column("label", str) in columns_for(server_of(*detectors), ["emotion"])


def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ModelsError, match=r"faced-service\[parquet\]"):
        ParquetFile(tmp_path / "x.parquet", ())
