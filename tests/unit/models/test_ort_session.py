"""What ONNX Runtime may not do of its own accord."""

import os
import subprocess
import sys

import pytest


def load(home, **environment):
    """Loads ONNX Runtime in a process of its own, whose home is `home`; what it said on standard error."""
    code = "import faced_models.ort_session"
    variables = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "PATH": os.environ["PATH"], **environment}
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("given", [{}, {"ORT_DISABLE_TELEMETRY": "0"}])
def test_it_reports_nothing_to_its_makers(tmp_path, given):
    said = load(tmp_path, **given)
    assert "telemetry" not in said
    # With its reports, it keeps a number for this machine here.
    assert not (tmp_path / "cache" / "Microsoft").exists()
