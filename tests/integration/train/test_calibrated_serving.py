"""What `faced calibrate` wrote is what a server then says."""

import json
import shutil
import tomllib

import cv2
import numpy as np
import pytest

from faced_client import Client
from faced_models.manifest import load_manifest
from faced_service.embedded import EmbeddedServer
from faced_service.main import main
from faced_service.settings import Settings

FACES = 60


@pytest.fixture(scope="module")
def faces(astronaut, tmp_path_factory):
    """The astronaut's face, sixty times in other light, under names of UTKFace; three in four say female."""
    folder = tmp_path_factory.mktemp("faces")
    face = np.ascontiguousarray(astronaut[50:200, 150:300, ::-1])
    for i in range(FACES):
        name = f"{20 + i % 30}_{int(i % 4 > 0)}_0_201701{i:02}120000000.jpg"
        cv2.imwrite(str(folder / name), cv2.convertScaleAbs(face, alpha=1 - i / 400, beta=i / 4))
    return folder


def said(astronaut, subject, **settings):
    """What a server says of the only face."""
    with (
        EmbeddedServer(Settings(allowed_attributes=("gender", "age"), **settings)) as address,
        Client(address) as client,
    ):
        (face,) = client.analyze(astronaut[:256, 96:352], upsample_times=0).faces
    return face[subject]


@pytest.mark.parametrize(("subject", "kind"), [("gender", "temperature"), ("age", "ordinal_kernel")])
def test_a_calibration_is_fitted_written_and_served(capsys, astronaut, faces, tmp_path, subject, kind):
    overlay = tmp_path / "mine.toml"
    words = ["calibrate", subject, "--data", str(faces), "--overlay", str(overlay), "--split", "all", "--json"]
    assert main(words) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["written"] == str(overlay)
    (network,) = tomllib.loads(overlay.read_text())["network"].values()
    assert (network["calibration"]["kind"], network["calibration"]["faces"]) == (kind, FACES)

    before, raw = said(astronaut, subject), said(astronaut, subject, raw_probabilities=True)
    after = said(astronaut, subject, models_file=str(overlay))
    assert (raw.calibrated, after.calibrated) == (False, True)
    assert after.model == report["model"]
    assert len({before.model, raw.model, after.model}) == 3
    calibration = load_manifest(models_file=overlay).attributes[subject].calibration
    (expected,) = calibration.apply(np.array([raw.probabilities], np.float64))
    np.testing.assert_allclose(after.probabilities, expected, atol=1e-5)
    assert np.abs(np.subtract(after.probabilities, before.probabilities)).max() > 0.005


@pytest.mark.parametrize("kind", ["temperature", "ordinal_kernel"])
def test_ages_in_groups_are_refused_by_every_kind(capsys, faces, tmp_path, kind):
    shutil.copytree(faces, tmp_path / "groups" / "25-32")
    overlay = tmp_path / "mine.toml"
    words = ["calibrate", "age", "--data", str(tmp_path / "groups"), "--overlay", str(overlay), "--split", "all"]
    assert main([*words, "--kind", kind]) == 3
    assert "groups: an age calibration needs ages in years, not groups" in capsys.readouterr().err
    assert not overlay.exists()
