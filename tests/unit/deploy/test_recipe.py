"""The Dockerfile and compose.yaml as far as they can be read without a container engine."""

import re
import sys

import pytest
import yaml

from faced_service.setting_sources import setting_entries
from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "deploy"))
from recipe import read_recipe


@pytest.fixture(scope="module")
def stages():
    return read_recipe(ROOT / "Dockerfile")


@pytest.mark.parametrize("target", ["cpu", "gpu"])
def test_both_targets_run_the_server_as_a_user_of_its_own_and_can_be_asked_for_health(stages, target):
    stage = stages[target]
    assert dict(stage.steps)["USER"] == "faced"
    assert stage.entrypoint == ["faced", "serve"]
    assert stage.health == ["faced", "health"]
    # Nothing is left in the image of what only building needs.
    assert stages[stage.base].base in {"debian:trixie-slim", "nvidia/cuda:13.0.1-base-ubuntu24.04"}
    assert ("COPY", f"--from={target}-build /opt/faced /opt/faced") in stage.steps


def test_what_is_copied_is_there_and_not_ignored(stages):
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for stage in stages.values():
        for word, rest in stage.steps:
            if word == "COPY" and not rest.startswith("--from"):
                for source in rest.split()[:-1]:
                    assert (ROOT / source).exists()
                    assert source.split("/")[0] in allowed


@pytest.mark.parametrize("file", ["Dockerfile", "compose.yaml", "docs/containers.md"])
def test_variables_that_are_set_are_settings(file):
    known = {entry.variable for entry in setting_entries()} | {"FACED_CACHE_DIR", "FACED_TLS_CA"}
    assert set(re.findall(r"FACED_[A-Z_]+", (ROOT / file).read_text())) <= known


def test_the_override_for_other_machines_is_whole():
    text = (ROOT / "docs/containers.md").read_text()
    override = yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1].replace("!override", ""))
    faced = override["services"]["faced"]
    assert set(faced["secrets"]) == set(override["secrets"])
    assert faced["environment"]["FACED_INSECURE"] == "false"
    mounted = {value for value in faced["environment"].values() if value.startswith("/run/secrets/")}
    assert mounted == {f"/run/secrets/{name}" for name in override["secrets"]}


def test_what_is_not_understood_is_refused(tmp_path):
    recipe = tmp_path / "Dockerfile"
    recipe.write_text("FROM debian:trixie-slim AS cpu\nADD x y\n")
    with pytest.raises(ValueError, match="ADD is not understood"):
        read_recipe(recipe)
