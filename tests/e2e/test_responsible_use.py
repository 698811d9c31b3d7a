"""What RESPONSIBLE_USE.md promises about switching attributes off."""

import re
import tomllib

import pytest

from faced_service.main import main
from faced_service.networks import load_networks
from faced_service.setting_sources import load_settings
from tests.conftest import ROOT

PAGE = (ROOT / "RESPONSIBLE_USE.md").read_text()
COMMANDS = re.findall(r"```sh\n(.*?)\n```", PAGE, re.DOTALL)
(SETTINGS,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_are_valid(command, capsys, monkeypatch):
    *variables, _, serve = re.split(r" ?(faced) ", command)
    for variable in filter(None, variables):
        monkeypatch.setenv(*variable.split("="))
    assert main([*serve.split(), "--check-config"]) == 0
    shown = dict(line.split(" = ", 1) for line in capsys.readouterr().out.splitlines())
    assert shown["allowed_attributes"] == ('["gender", "age", "age_group"]' if variables[0] else "[]")


def test_networks_that_are_not_allowed_are_not_loaded(tmp_path):
    (tmp_path / "faced.toml").write_text(SETTINGS)
    assert tomllib.loads(SETTINGS)["allowed_attributes"] == ["gender", "age", "age_group"]
    models = load_networks(load_settings(tmp_path / "faced.toml", {}, {})).models
    assert set(models.classifiers) == {"gender", "age"}
    none = load_networks(load_settings(None, {}, {"allowed_attributes": "none"})).models
    assert none.classifiers == {}


def test_the_pages_that_it_names_exist():
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", PAGE):
        assert (ROOT / link).exists(), link


def test_the_server_shows_the_same_page():
    assert (ROOT / "service/faced_service/web/RESPONSIBLE_USE.md").read_text() == PAGE
