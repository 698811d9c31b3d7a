"""The SDK with only what it names as dependencies; nothing else of this installation can be imported."""

import subprocess
import sys
from importlib.metadata import files, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import faced_client
import faced_proto

DISTRIBUTION = "faced-service"


def needed():
    """The distributions that `pip install .` brings, without extras, and what these need."""
    found, todo = set(), [DISTRIBUTION]
    while todo:
        for text in requires(todo.pop()) or ():
            requirement = Requirement(text)
            plain = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if plain and requirement.name not in found:
                found.add(requirement.name)
                todo.append(requirement.name)
    return found


@pytest.fixture
def bare(tmp_path):
    """A folder of links to these distributions' top-level files and the two packages of the SDK."""
    for name in needed():
        for top in {file.parts[0] for file in files(name) if not file.parts[0].startswith(".")}:
            source = Path(next(file for file in files(name) if file.parts[0] == top).locate())
            while source.name != top:
                source = source.parent
            if not (tmp_path / top).exists():
                (tmp_path / top).symlink_to(source)
    for package in (faced_client, faced_proto):
        (tmp_path / package.__name__).symlink_to(Path(package.__file__).parent)
    return tmp_path


def run(bare, code):
    # -I -S: no site-packages, no environment variables, no current folder.
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({str(bare)!r})\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_three_packages_are_all_that_it_names(bare):
    names = {Requirement(text).name for text in requires(DISTRIBUTION) if "extra ==" not in text}
    assert names == {"grpcio", "protobuf", "numpy"}
    missing = run(bare, "import cv2")
    assert "ModuleNotFoundError: No module named 'cv2'" in missing.stderr


def test_it_analyses_and_streams_with_these_alone(bare, running):
    code = f"""
import asyncio, numpy as np, faced_client
image = np.zeros((8, 8, 3), np.uint8)
with faced_client.Client({running.address!r}) as client:
    print(len(client.analyze(image).faces), len(list(client.stream([image] * 3))))
async def main():
    async with faced_client.AsyncClient({running.address!r}) as client:
        print(len((await client.analyze(image)).faces), len([outcome async for outcome in client.stream([image] * 3)]))
asyncio.run(main())
print(*sorted(name for name in ("cv2", "onnxruntime", "faced_models", "faced_service") if name in sys.modules))
"""
    done = run(bare, code)
    assert done.stderr == ""
    assert done.stdout == "1 3\n1 3\n\n"


def test_the_types_are_marked(bare):
    for package in (faced_client, faced_proto):
        assert (Path(package.__file__).parent / "py.typed").is_file()
