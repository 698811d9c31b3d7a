"""The API as another language sees it: the client of docs/other-languages.md, run by Node against a real server."""

import json
import re
import shutil
import subprocess

import pytest
import trustme

from faced_client import Client
from tests.conftest import ROOT
from tests.e2e.conftest import serve

PAGE = ROOT / "docs" / "other-languages.md"
NODE = ROOT / "tests" / "e2e" / "node"


@pytest.fixture(scope="session")
def node(tmp_path_factory):
    """A folder with the page's code, in which Node finds grpc-js."""
    if shutil.which("npm") is None:
        pytest.skip("needs Node and npm")
    modules, lock = NODE / "node_modules", NODE / "package-lock.json"
    installed = modules / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=NODE, check=True, timeout=300)
    folder = tmp_path_factory.mktemp("node")
    (folder / "node_modules").symlink_to(modules)
    shutil.copy(NODE / "contract.mjs", folder)
    for name, code in re.findall(r"```js\n// (\w+\.mjs)\n(.*?)```", PAGE.read_text(), re.DOTALL):
        (folder / name).write_text(code)
    return folder


def run(folder, *arguments):
    environment = {"FACED_PROTO": str(ROOT / "proto"), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(
        ["node", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=["plain", "secured"])
def spoken(request, node, photo, tmp_path_factory):
    """What the contract's program saw, once of a server in clear text and once of one with TLS and tokens."""
    given, flags = {"picture": str(photo)}, []
    if request.param == "secured":
        folder = tmp_path_factory.mktemp("secrets")
        authority = trustme.CA()
        issued = authority.issue_cert("localhost")
        issued.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
        authority.cert_pem.write_to_path(folder / "ca.pem")
        (folder / "tokens").write_text("camera:t0k-camera\n")
        flags = ["--tls-cert", folder / "server.pem", "--tls-key", folder / "server.pem"]
        flags += ["--token-file", folder / "tokens"]
        given |= {"ca": str(folder / "ca.pem"), "token": "t0k-camera"}
    with serve(*flags) as server:
        given["address"] = server.address.replace("127.0.0.1", "localhost")
        return json.loads(run(node, "contract.mjs", json.dumps(given))) | {"secured": bool(flags)}


@pytest.fixture(scope="module")
def sdk(served, photo):
    with Client(served) as client:
        return client.analyze(photo)


def test_one_picture_gives_what_the_sdk_gets(spoken, sdk):
    analysis = spoken["analysis"]
    (face,), (ours,) = analysis["faces"], sdk.faces
    box = ours.detection.box
    assert face["box"] == {"left": box.left, "top": box.top, "right": box.right, "bottom": box.bottom}
    assert (analysis["width"], analysis["height"], analysis["appliedScale"]) == (512, 512, 2)
    assert [item["attribute"] for item in face["attributes"]] == ["emotion", "gender", "age", "age_group"]
    for item, own in zip(face["attributes"], ours.attributes, strict=True):
        assert item["outcome"] == "distribution"
        assert item["distribution"]["probabilities"] == pytest.approx(own.probabilities, abs=1e-6)
    assert face["attributes"][0]["distribution"]["axis"]["categories"]["labels"] == list(ours["emotion"].labels)
    points = [(landmark["x"], landmark["y"]) for landmark in face["landmarks"]]
    assert points == [(mark.x, mark.y) for mark in ours.landmarks]


def test_without_the_right_token_nothing_is_answered(spoken):
    if spoken["secured"]:
        assert (spoken["refused"]["status"], spoken["refused"]["reason"]) == ("UNAUTHENTICATED", "unauthenticated")
    else:
        assert spoken["refused"] is None


def test_an_empty_list_of_names_asks_for_boxes_only(spoken):
    (face,) = spoken["boxesOnly"]["faces"]
    assert face["attributes"] == []


def test_errors_carry_status_and_reason(spoken):
    assert (spoken["noPicture"]["status"], spoken["noPicture"]["reason"]) == ("INVALID_ARGUMENT", "image_unsupported")
    assert (spoken["noAttribute"]["status"], spoken["noAttribute"]["reason"]) == (
        "INVALID_ARGUMENT",
        "unknown_attribute",
    )
    assert "mood" in spoken["noAttribute"]["message"]
    assert spoken["late"]["status"] == "DEADLINE_EXCEEDED"
    assert (spoken["noStream"]["status"], spoken["noStream"]["reason"]) == ("INVALID_ARGUMENT", "invalid_option")
    assert spoken["thrown"] is not None


def test_a_stream_answers_every_frame_once_in_order_within_its_credits(spoken):
    outcomes = spoken["outcomes"]
    assert [outcome["frameId"] for outcome in outcomes] == list(range(12))
    assert [outcome["outcome"] for outcome in outcomes] == ["analysis"] * 2 + ["error"] + ["analysis"] * 9
    assert outcomes[2]["error"]["reason"] == "ERROR_REASON_IMAGE_UNSUPPORTED"
    assert all(len(outcome["analysis"]["faces"]) == 1 for outcome in outcomes if outcome["outcome"] == "analysis")
    assert 1 < spoken["ahead"] <= 4
    assert spoken["leftAt"] == 0


def test_the_pages_example_runs(node, served, photo):
    shutil.copy(photo, node / "photo.jpg")
    example = (node / "example.mjs").read_text()
    (node / "here.mjs").write_text(example.replace("localhost:50051", served))
    lines = run(node, "here.mjs").splitlines()
    assert lines[0] == "1 faces, scale 2, from 40 px on"
    assert lines[1].startswith("emotion happy ")
    assert lines[-2:] == ["0 analysis 1", "1 analysis 1"]
