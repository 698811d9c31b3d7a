"""docs/plug-in.md does what it says, from its first line to its last."""

import json
import os
import re
import subprocess

import pytest

from tests.conftest import ROOT
from tests.e2e.conftest import BIN

PAGE = (ROOT / "docs" / "plug-in.md").read_text()
PYTHON, *_ = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
COMPLETE, CHANGED = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
LINES = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


@pytest.fixture
def folder(tmp_path, photo):
    (tmp_path / "make_brightness.py").write_text(PYTHON)
    (tmp_path / "networks.toml").write_text(COMPLETE)
    (tmp_path / "changed.toml").write_text(CHANGED)
    (tmp_path / "photo.jpg").write_bytes(photo.read_bytes())
    return tmp_path


def run(folder, line, code=0):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FACED_")}
    environment["PATH"] = f"{BIN}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, f"{line}: {done.stdout}{done.stderr}"
    return done.stdout


def test_every_command_of_the_page_works_in_its_order(folder):
    said = {line: run(folder, f"{line} --check-config" if "serve" in line else line) for line in LINES}
    assert len(said) == 6
    assert "# output  'light' float [n, 3]" in said["faced models check brightness.onnx"]
    assert "attribute light, 3 classes" in said["faced models check networks.toml"]
    assert "light" in said["FACED_MODELS_FILE=networks.toml faced-cli image photo.jpg"]
    (as_json,) = (text for line, text in said.items() if "--json" in line)
    (face,) = json.loads(as_json)["faces"]
    assert list(face["attributes"]) == ["light"]
    assert list(face["attributes"]["light"]["probabilities"]) == ["dark", "dim", "bright"]
    assert len(list((folder / "drawn").iterdir())) == 1


def test_the_digest_of_the_page_is_that_of_the_network_it_makes(folder):
    run(folder, "python make_brightness.py")
    draft = run(folder, "faced models check brightness.onnx")
    assert re.search(r'sha256 = "(\w+)"', draft)[1] == re.search(r'sha256 = "(\w+)"', COMPLETE)[1]


def test_the_message_of_the_page_is_what_is_said(folder):
    run(folder, "python make_brightness.py")
    (folder / "networks.toml").write_text(COMPLETE.replace('"dark", ', '"dark", "grey", '))
    said = run(folder, "faced models check networks.toml", code=3)
    (promised,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert said == promised


def test_the_built_in_network_is_changed_as_the_page_says(folder):
    assert "attribute age, 81 classes" in run(folder, "faced models check changed.toml")
    assert re.search(r"oversample +flip", run(folder, "faced models show age --models-file changed.toml"))


def test_every_field_of_an_entry_is_on_the_page():
    source = (ROOT / "models" / "faced_models" / "entry_reader.py").read_text()
    fields = set(re.findall(r'table\.\w+\("(\w+)"', source))
    missing = {field for field in fields if re.search(rf"\b{field}\b", PAGE) is None}
    of_the_package = {"bytes", "reference", "source", "package", "format"}
    of_detectors = {"iou", "percent_covered", "pyramid_padding", "pyramid_outer_padding"}
    assert missing <= of_the_package | of_detectors
