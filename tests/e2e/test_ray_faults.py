"""A node of two that is killed under load; in a process of its own, since Ray takes whole processes."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytest.importorskip("ray", reason="needs the extra ray")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_node_that_is_killed_under_load_loses_nothing():
    command = [sys.executable, "-m", "tests.bench.ray_faults"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr[-4000:]
    assert "0 calls or frames lost, repeated or out of order" in ended.stdout
