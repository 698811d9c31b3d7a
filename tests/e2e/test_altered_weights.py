"""Weights that are not the ones described are refused when the server starts, and never run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import faced_models
from tests.e2e.conftest import BIN

PACKAGE = Path(faced_models.__file__).parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A copy of the package that knows networks, which Python finds first."""
    folder = tmp_path_factory.mktemp("installed")
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.mark.parametrize("file", ["mmod.onnx", "landmarks.npz", "age.onnx"])
def test_one_flipped_byte_keeps_the_server_from_starting(installed, file):
    weights = installed / PACKAGE.name / "weights" / file
    whole = weights.read_bytes()
    middle = len(whole) // 2
    weights.write_bytes(whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :])
    try:
        server = subprocess.run(
            [BIN / "faced", "serve", "--port", "0"],
            env={**os.environ, "PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        weights.write_bytes(whole)
    assert server.returncode == 5, server.stderr
    assert server.stdout == ""
    assert server.stderr.startswith(f"faced: error: weights {file} are altered: expected SHA-256 ")
    assert str(weights) in server.stderr
    assert "serving on" not in server.stderr
