import json
import sys

import faced_service.embedded
from faced_models.errors import WeightsError
from faced_proto.version import __version__


def test_status_as_json(cli, server):
    code, out, err = cli("status", "--json", "--server", server)
    assert (code, err) == (0, "")
    status = json.loads(out)
    assert (status["version"], status["address"]) == (__version__, server)
    assert (status["device"], status["backend"], status["precision"]) == ("cpu", "onnxruntime", "exact")
    assert sorted(status["attributes"]) == ["age", "age_group", "emotion", "gender"]
    assert {model["role"] for model in status["models"]} == {"detector", "landmarks", "attribute"}
    assert {model["licence"] for model in status["models"]} == {"CC0-1.0", "MIT"}
    assert status["limits"]["max_pixels"] == 40_000_000


def test_status_for_people_fits_80_columns(cli):
    code, out, _ = cli("status")
    assert code == 0
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert f"faced {__version__}, in this process" in lines[0]
    assert sum("CC0-1.0" in line or "MIT" in line for line in lines) == 6
    assert "\x1b" not in out


def test_server_that_is_not_there(cli):
    code, out, err = cli("status", "--server", "127.0.0.1:1")
    assert (code, out) == (4, "")
    assert "127.0.0.1:1" in err


def test_port_that_cannot_be_is_a_usage_error(cli):
    for address in ("127.0.0.1:99999", "127.0.0.1:0"):
        code, out, err = cli("status", "--server", address)
        assert (code, out) == (2, "")
        assert err == f"faced-cli: server: {address} has no port from 1 to 65535\n"


def test_only_attributes_can_be_calibrated(cli, server):
    lines = cli("status", "--server", server)[1].splitlines()
    ends = {line.split()[0]: line.split()[-1] for line in lines if line.split()[-1:] in (["yes"], ["no"], ["-"])}
    assert (ends["detector"], ends["landmarks"]) == ("-", "-")
    assert ends["emotion"] in ("yes", "no")


def test_token_in_clear_text_is_refused(cli):
    code, _, err = cli("status", "--server", "192.0.2.1:50051", "--token", "secret")
    assert code == 2
    assert "secret" not in err


def test_altered_weights_are_named(cli, monkeypatch):
    def load(settings):
        raise WeightsError("weights/age.onnx: SHA-256 differs")

    monkeypatch.setattr(faced_service.embedded, "load_networks", load)
    code, _, err = cli("status")
    assert (code, err) == (5, "faced-cli: weights/age.onnx: SHA-256 differs\n")


def test_missing_extra_says_what_to_install(cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "faced_service.embedded", None)
    code, _, err = cli("status")
    assert code == 5
    assert "pip install 'faced-service[cpu,cli]'" in err


def test_setting_that_cannot_be(cli, monkeypatch):
    monkeypatch.setenv("FACED_PRECISION", "sloppy")
    code, _, err = cli("status")
    assert code == 2
    assert "FACED_PRECISION" in err
