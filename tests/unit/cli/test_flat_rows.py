import csv
import io

import pytest

from faced_cli.errors import ModelsError
from faced_cli.flat_rows import columns, csv_head, csv_lines, records
from faced_cli.parquet_file import ParquetFile
from faced_cli.video_row import VideoRow
from faced_proto.types import (
    Categories,
    DropReason,
    ErrorReason,
    FrameDropped,
    FrameFailure,
    FrameOutcome,
    IntegerBins,
    ModelInfo,
    ModelRole,
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


def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ModelsError, match=r"faced-service\[parquet\]"):
        ParquetFile(tmp_path / "x.parquet", ())
