"""Many videos with Ray Data: rows against those of a run without it, and what becomes of a run that is cut off."""

import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.process import free_port
from tests.ray_head import ray_head

pytest.importorskip("ray", reason="needs the extra ray")
dataset = pytest.importorskip("pyarrow.dataset")
parquet = pytest.importorskip("pyarrow.parquet")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FACED_CLI = (sys.executable, "-m", "faced_cli.main")
COPIES = 4


def run(*argv):
    return subprocess.run([*FACED_CLI, *map(str, argv)], capture_output=True, text=True, check=False, timeout=400)


@pytest.fixture(scope="module")
def videos(clip, tmp_path_factory):
    """Copies of a short video under odd names, and one that is none."""
    folder = tmp_path_factory.mktemp("videos")
    for name in ("a", "b b", "c-ü", "[d*]"):
        shutil.copy(clip, folder / f"{name}.mp4")
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


@pytest.fixture(scope="module")
def local(videos, tmp_path_factory):
    """The rows of a run without Ray."""
    path = tmp_path_factory.mktemp("local") / "rows.parquet"
    ended = run("video", videos, "--parquet", path)
    assert ended.returncode == 3, ended.stderr
    return rows_of(parquet.read_table(path))


def rows_of(table):
    rows = table.to_pylist()
    return sorted(rows, key=lambda row: (row["source"], row["frame"], row["track_id"] or 0))


def assert_equal(ours, theirs):
    assert len(ours) == len(theirs) == 24 * COPIES
    for one, two in zip(ours, theirs, strict=True):
        assert one.keys() == two.keys()
        for name, value in two.items():
            if isinstance(value, float):
                assert np.isclose(one[name], value, atol=1e-5), name
            else:
                assert one[name] == value, name


def test_the_data_set_has_the_rows_of_the_local_run_and_grows_by_what_is_missing(videos, local, tmp_path):
    folder = tmp_path / "set"
    ended = run("video", videos, "--engine", "ray", "--parquet", folder)
    assert ended.returncode == 3, ended.stderr
    assert "broken.mp4" in ended.stderr
    assert f"{COPIES} of {COPIES + 1} videos, {24 * COPIES} frames" in ended.stdout
    assert_equal(rows_of(dataset.dataset(folder).to_table()), local)

    again = run("video", videos, "--engine", "ray", "--parquet", folder)
    assert again.returncode == 2
    assert "give --resume" in again.stderr
    other = run("video", videos, "--engine", "ray", "--parquet", folder, "--resume", "--every", 2)
    assert other.returncode == 2
    assert "made with other options" in other.stderr

    parts = sorted(folder.glob("*.parquet"))
    kept = {part: part.stat().st_mtime_ns for part in parts[1:]}
    parts[0].unlink()
    (videos / "broken.mp4").rename(tmp_path / "broken.mp4")
    try:
        ended = run("video", videos, "--engine", "ray", "--parquet", folder, "--resume")
    finally:
        (tmp_path / "broken.mp4").rename(videos / "broken.mp4")
    assert ended.returncode == 0, ended.stderr
    assert f"1 of 1 videos, {COPIES - 1} were there, 24 frames" in ended.stdout
    assert {part: part.stat().st_mtime_ns for part in kept} == kept
    assert_equal(rows_of(dataset.dataset(folder).to_table()), local)


def test_a_run_that_is_killed_leaves_whole_parts_and_goes_on(videos, local, tmp_path):
    folder = tmp_path / "set"
    command = [*FACED_CLI, "video", str(videos), "--engine", "ray", "--parquet", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 300
        while not list(folder.glob("*.parquet")):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        process.kill()
    time.sleep(3)  # its workers end by themselves
    there = {part: part.read_bytes() for part in folder.glob("*.parquet")}
    assert 1 <= len(there) < COPIES
    assert len(dataset.dataset(folder).to_table()) == 24 * len(there)
    ended = run("video", videos, "--engine", "ray", "--parquet", folder, "--resume")
    assert ended.returncode == 3, ended.stderr
    assert f"{len(there)} were there" in ended.stdout
    assert {part: part.read_bytes() for part in there} == there
    assert_equal(rows_of(dataset.dataset(folder).to_table()), local)


@pytest.fixture
def cluster():
    """A Ray that was started in another folder, with no FACED_* variables; gives the environment of its callers."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FACED_")}
    flags = ("--include-dashboard=false",)
    with ray_head(*flags, ready="Ray runtime started", port=port, environment=environment) as callers:
        yield callers | {"RAY_ADDRESS": f"127.0.0.1:{port}"}


def test_a_cluster_that_was_started_elsewhere_gets_paths_and_settings_of_the_caller(cluster, clip, tmp_path):
    shutil.copy(clip, tmp_path / "in.mp4")
    # Each frame is above this limit: who analyses it has not got the setting.
    environment = cluster | {"FACED_MAX_PIXELS": "10000"}
    command = [*FACED_CLI, "video", "in.mp4", "--engine", "ray", "--parquet", "set"]

    def ended(*more):
        return subprocess.run(
            [*command, *more], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    refused = ended()
    assert refused.returncode == 3, refused.stderr
    assert "in.mp4: frame 0 at 0.000 s failed" in refused.stderr
    rows = dataset.dataset(tmp_path / "set").to_table().to_pylist()
    assert ({row["source"] for row in rows}, len(rows)) == ({"in.mp4"}, 24)
    assert {row["error"] for row in rows} == {"image_too_large"}
