"""`faced bench throughput` gives a row for each size and batch."""

import json

import pytest

from faced_service.main import main


def test_throughput_is_measured_for_every_size_and_batch(capsys):
    words = ["--sizes", "320x240,160x120", "--batch", "1,2", "--rounds", "1", "--device", "cpu", "--json"]
    assert main(["bench", "throughput", *words]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    expected = [("320x240", 1), ("320x240", 2), ("160x120", 1), ("160x120", 2)]
    assert [(row["size"], row["batch"]) for row in rows] == expected
    for row in rows:
        assert row["device"] == "cpu"
        assert row["frames_per_second"] == pytest.approx(1e3 * row["batch"] / row["ms"], rel=0.01)


def test_a_batch_of_none_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["bench", "throughput", "--batch", "1,0"])
    assert "'0' is no whole number from 1" in capsys.readouterr().err
