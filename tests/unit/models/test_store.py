import shutil

import pytest

from faced_models.errors import WeightsError
from faced_models.manifest import load_manifest
from faced_models.store import WEIGHTS, verified_path, verified_reference

MANIFESTED = load_manifest()


@pytest.mark.parametrize("entry", MANIFESTED.networks, ids=lambda entry: entry.name)
def test_the_committed_weights_are_the_manifests(entry):
    path = verified_path(entry)
    assert path == WEIGHTS / entry.file
    assert path.stat().st_size == entry.bytes


@pytest.mark.parametrize("entry", MANIFESTED.networks, ids=lambda entry: entry.name)
@pytest.mark.parametrize("place", [0, -1])
def test_one_flipped_bit_is_refused_by_name(tmp_path, entry, place):
    data = bytearray((WEIGHTS / entry.file).read_bytes())
    data[place] ^= 1
    (tmp_path / entry.file).write_bytes(data)
    with pytest.raises(
        WeightsError, match=rf"{entry.file} are altered: expected SHA-256 {entry.sha256}, found [0-9a-f]"
    ):
        verified_path(entry, tmp_path)


def test_missing_weights_are_refused_by_name(tmp_path):
    with pytest.raises(WeightsError, match=r"mmod\.onnx is missing"):
        verified_path(MANIFESTED.detector, tmp_path)


def test_weights_that_cannot_be_read_are_refused_by_name(tmp_path):
    (tmp_path / "mmod.onnx").mkdir()
    with pytest.raises(WeightsError, match=r"mmod\.onnx cannot be read"):
        verified_path(MANIFESTED.detector, tmp_path)


def test_the_reference_is_the_source_itself(tmp_path):
    path = verified_reference(MANIFESTED.detector)
    assert path.name == "mmod_human_face_detector.dat"
    shutil.copy(path, tmp_path)
    with (tmp_path / path.name).open("ab") as file:
        file.write(b"\0")
    with pytest.raises(WeightsError, match="altered"):
        verified_reference(MANIFESTED.detector, tmp_path)


def test_a_network_without_a_reference_says_so():
    with pytest.raises(WeightsError, match="'dlib-age': no copy of the file"):
        verified_reference(MANIFESTED.attributes["age"])
