import sys

import pytest

from faced_proto.version import __version__
from faced_service.main import main


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"faced {__version__}\n"


def test_alone_it_prints_its_commands(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    for line in ("serve", "models", "bench", "Run the face daemon."):
        assert line in out


@pytest.mark.parametrize("words", [["dance"], ["--dance"], ["serve", "--tls-sert", "x"], ["serve", "--dance"]])
def test_unknown_words_and_flags_are_usage_errors(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert capsys.readouterr().err


def test_only_the_called_command_is_loaded(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "faced_models.command", raising=False)
    assert main(["serve", "--check-config"]) == 0
    assert "faced_models.command" not in sys.modules


def test_check_config_says_what_is_wrong(capsys, tmp_path):
    config = tmp_path / "faced.toml"
    config.write_text('allowed_attributes = ["mood"]')
    assert main(["serve", "--check-config", "--config", str(config)]) == 2
    assert "'mood'; there are emotion" in capsys.readouterr().err
    assert main(["serve", "--check-config", "--port", "99999"]) == 2
    assert "flag --port: port is '99999'" in capsys.readouterr().err
    assert main(["serve", "--check-config", "--host", "0.0.0.0"]) == 2
    assert "--insecure" in capsys.readouterr().err
    assert main(["serve", "--check-config", "--host", "0.0.0.0", "--insecure"]) == 0


def test_a_device_that_is_not_there_is_an_error(capsys):
    assert main(["serve", "--device", "cuda:7"]) == 2
    assert "cuda:7" in capsys.readouterr().err
