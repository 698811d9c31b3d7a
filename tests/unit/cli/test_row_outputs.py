"""What a run that goes on adds to the files of one before."""

import csv
from dataclasses import replace

import pytest

from faced_cli.errors import InputError
from faced_cli.flat_rows import columns
from faced_cli.row_outputs import Kept, RowOutputs
from faced_cli.video_outputs import VideoOutputs
from faced_cli.video_row import VideoRow
from faced_proto.types import FrameOutcome


@pytest.fixture
def outputs(tmp_path):
    return VideoOutputs((), None, tmp_path / "rows.csv", None, None, tmp_path / "rows.csv.journal")


@pytest.fixture
def row(face, analysis):
    cat = face(100, 50, 200, 150)
    cat = replace(cat, detection=replace(cat.detection, label="cat"))
    return VideoRow("clip.mp4", 0, 0.0, 0.04, FrameOutcome(0, 0, analysis(640, 480, cat)))


def write(outputs, of, kept, row):
    with RowOutputs(outputs, of, {}, kept) as rows:
        rows.write(0, row)
    return outputs.csv.stat().st_size, outputs.journal.stat().st_size


@pytest.mark.parametrize("labels", [False, True])
def test_a_csv_file_that_goes_on_keeps_its_columns(outputs, row, labels):
    csv_size, journal_size = write(outputs, columns([], labels=labels), None, row)
    write(outputs, columns([], labels=True), Kept(1, journal_size, 0, csv_size), row)
    with outputs.csv.open(newline="") as file:
        head, first, second = csv.reader(file)
    assert ("label" in head, "cat" in first) == (labels, labels)
    assert first == second


def test_a_csv_file_that_cannot_be_read_is_not_gone_on_with(outputs, row):
    outputs.csv.mkdir()
    with pytest.raises(InputError, match=r"rows\.csv: cannot be gone on with"):
        RowOutputs(outputs, columns([]), {}, Kept(1, 1, 0, 1))
