import argparse
import tomllib

import pytest
from onnx import helper

from faced_models import command
from faced_models.check import check_file
from tests.networks import brightness, entry, save


def test_what_fits_is_told_with_its_attribute_and_what_it_replaces(tmp_path, capsys):
    sha256 = brightness(tmp_path / "brightness.onnx")
    other = brightness(tmp_path / "other.onnx", weights=(-1, 1))
    path = tmp_path / "mine.toml"
    path.write_text(
        entry(sha256)
        + entry(other, name="mine", attribute="emotion", where='file = "other.onnx"')
        + '[network.dlib-age]\noversample = "flip"\n'
    )
    assert check_file(path) == 0
    emotion, age, light = capsys.readouterr().out.splitlines()  # in the order in which they are served
    assert emotion.endswith(": attribute emotion, 2 classes, in place of faced-emotion")
    assert age.startswith("ok      dlib-age@1+")
    assert age.endswith(": attribute age, 81 classes")
    assert light.startswith("ok      brightness@1+")
    assert light.endswith(": attribute light, 2 classes")


def test_every_network_that_does_not_fit_is_told_and_the_rest_too(tmp_path, capsys):
    sha256 = brightness(tmp_path / "brightness.onnx")
    other = brightness(tmp_path / "other.onnx", shape=("n", 3, "h", "w"))
    path = tmp_path / "mine.toml"
    path.write_text(
        entry(sha256, axis='labels = ["a", "b", "c"]')
        + entry(other, name="two", attribute="dim", where='file = "other.onnx"')
        + entry("0" * 64, name="three", attribute="gone", where='file = "gone.onnx"')
        + '[network.dlib-age]\noversample = "flip"\n'
    )
    assert check_file(path) == 3
    ok, labels, dynamic, gone = capsys.readouterr().out.splitlines()
    assert "FAILED" in labels
    assert "'y' float [n, 2], 2 values for each face, and the entry's axis has 3 labels" in labels
    assert "'x' float [n, 3, h, w]: only the number of faces may be open" in dynamic
    assert "gone.onnx is missing" in gone
    assert ok.startswith("ok ")


def test_a_wrong_entry_is_named_with_file_and_field(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text(entry("12"))
    assert check_file(path) == 3
    assert f"{path}: network 'brightness': sha256 is '12', expected" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["gone.toml", "gone.onnx", "folder.onnx"])
def test_a_file_that_is_not_there_is_named(tmp_path, capsys, name):
    (tmp_path / "folder.onnx").mkdir()
    assert check_file(tmp_path / name) == 3
    assert f"{name} " in capsys.readouterr().err


def test_no_network_is_named(tmp_path, capsys):
    (tmp_path / "text.onnx").write_text("no network")
    assert check_file(tmp_path / "text.onnx") == 3
    assert "text: ONNX Runtime cannot load it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ({"softmax": False}, {"size": 32, "colour": "rgb"}),
        ({"softmax": False, "shape": ("n", 1, 48, 48)}, {"size": 48, "colour": "grey"}),
        ({"softmax": False, "shape": (1, 40, 40, 3), "out": (1, 2)}, {"size": 40, "colour": "rgb", "layout": "nhwc"}),
    ],
)
def test_a_network_is_described_with_an_entry_that_serves_it(tmp_path, capsys, network, expected):
    brightness(tmp_path / "Smile Net.onnx", **network)
    assert check_file(tmp_path / "Smile Net.onnx") == 0
    draft = capsys.readouterr().out
    assert "# input   'x' float [" in draft
    assert "# output  'y' float [" in draft
    described = tomllib.loads(draft)["network"]["smile_net"]
    assert described["attribute"] == "smile_net"
    assert described["axis"] == {"labels": ["label 0", "label 1"]}
    assert described["input"].items() >= expected.items()
    path = tmp_path / "draft.toml"
    path.write_text(draft)
    assert check_file(path) == 0


def test_one_logit_is_drafted_as_a_sigmoid(tmp_path, capsys):
    brightness(tmp_path / "5.onnx", weights=[1.0], out=("n", 1), softmax=False)
    assert check_file(tmp_path / "5.onnx") == 0
    (tmp_path / "draft.toml").write_text(capsys.readouterr().out)
    assert check_file(tmp_path / "draft.toml") == 0
    assert capsys.readouterr().out.endswith(": attribute net_5, 2 classes\n")


def test_a_network_of_another_kind_is_described_too(tmp_path, capsys):
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    save(tmp_path / "flat.onnx", nodes, {}, shape=(), out=())
    assert check_file(tmp_path / "flat.onnx") == 0
    (tmp_path / "draft.toml").write_text(capsys.readouterr().out)
    assert check_file(tmp_path / "draft.toml") == 3
    assert "its input is 'x' float [], expected [faces, 3, 64, 64]" in capsys.readouterr().out


def models(*words):
    parser = argparse.ArgumentParser(prog="faced models")
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def test_list_and_show_know_the_file_by_flag_and_by_variable(tmp_path, capsys, monkeypatch):
    path = tmp_path / "mine.toml"
    path.write_text(entry(brightness(tmp_path / "brightness.onnx")))
    assert models("list", "--models-file", str(path)) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[2:4] == ["light", "CC0-1.0"]
    monkeypatch.setenv("FACED_MODELS_FILE", str(path))
    assert models("show", "light") == 0
    shown = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert shown["described"] == f"in   {path}"
    assert models("verify") == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"ok      {tmp_path / 'brightness.onnx'}"
