import dataclasses
import re
from pathlib import Path

import pytest

from faced_proto.types import Precision
from faced_service.setting_sources import load_settings, setting_entries
from faced_service.settings import Settings, SettingsError
from faced_service.settings_table import settings_table


def toml(tmp_path, text):
    path = tmp_path / "faced.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_are_the_promised_ones():
    settings = load_settings(None, {}, {})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.precision) == ("127.0.0.1", 50051, Precision.EXACT)
    assert (settings.max_message_bytes, settings.max_pixels) == (16 * 1024 * 1024, 40_000_000)
    assert (settings.max_upscaled_pixels, settings.max_detect_pixels) == (2_000_000, 8_300_000)
    assert (settings.detect_batch, settings.detect_wait_ms, settings.describe_batch) == (1, 0.0, 32)
    assert (settings.gender_guard_threshold, settings.allowed_attributes) == (0.3, None)


def test_later_sources_win(tmp_path):
    config = toml(tmp_path, 'port = 1\nqueue_limit = 2\nstream_credits = 3\nbackend = "ort"\n')
    environment = {"FACED_QUEUE_LIMIT": "20", "FACED_STREAM_CREDITS": "30", "PATH": "/bin"}
    settings = load_settings(config, environment, {"stream_credits": "200"})
    assert (settings.port, settings.queue_limit, settings.stream_credits, settings.backend) == (1, 20, 200, "ort")


def test_every_source_reads_every_type(tmp_path):
    config = toml(
        tmp_path,
        'precision = "fast"\ncpu_threads = 2\ndetect_wait_ms = 5\ninsecure = true\nallowed_attributes = ["emotion"]\n',
    )
    by_file = load_settings(config, {}, {})
    environment = {
        "FACED_PRECISION": "fast",
        "FACED_CPU_THREADS": "2",
        "FACED_DETECT_WAIT_MS": "5.0",
        "FACED_INSECURE": "true",
        "FACED_ALLOWED_ATTRIBUTES": "emotion",
    }
    by_environment = load_settings(None, environment, {})
    flags = {
        "precision": "fast",
        "cpu_threads": "2",
        "detect_wait_ms": "5",
        "insecure": True,
        "allowed_attributes": "emotion",
    }
    assert by_file == by_environment == load_settings(None, {}, flags)
    assert by_file.precision is Precision.FAST
    assert by_file.allowed_attributes == ("emotion",)


@pytest.mark.parametrize(("text", "names"), [("all", None), ("none", ()), ("age, gender,age", ("age", "gender"))])
def test_attributes_are_a_list_all_or_none(text, names):
    assert load_settings(None, {"FACED_ALLOWED_ATTRIBUTES": text}, {}).allowed_attributes == names


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("prot = 1", r"faced\.toml: there is no setting 'prot'"),
        ("port = 65536", r"faced\.toml: port is 65536, must be a whole number from 0 to 65535"),
        ("port = -1", "port is -1"),
        ('port = "1"', "port is '1', must be a whole number"),
        ("port = true", "port is True"),
        ("port = 1.5", "port is 1.5"),
        ("detect_wait_ms = nan", "detect_wait_ms is nan, must be a number from 0 to 1000"),
        ("gender_guard_threshold = 0.51", "gender_guard_threshold is 0.51, must be a number from 0 to 0.5"),
        ("insecure = 1", "insecure is 1, must be true or false"),
        ('precision = "exakt"', "precision is 'exakt', must be one of exact, fast"),
        ('backend = "torch"', "must be auto, ort, openvino or dlib"),
        ('device = "cuda:x"', "must be auto, cpu, cuda or cuda:N"),
        ("allowed_attributes = [1]", "must be a list of names"),
        ("[server]\nport = 1", "there is no setting 'server'"),
        ("port = ", "is no TOML"),
    ],
)
def test_what_a_file_cannot_say_is_refused_by_key_and_source(tmp_path, line, message):
    with pytest.raises(SettingsError, match=message):
        load_settings(toml(tmp_path, line), {}, {})


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"absent\.toml: cannot be read: No such file"):
        load_settings(tmp_path / "absent.toml", {}, {})


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"FACED_PROT": "1"}, "environment variable FACED_PROT: there is no setting"),
        ({"FACED_PORT": "http"}, "environment variable FACED_PORT: port is 'http'"),
        ({"FACED_PORT": ""}, "environment variable FACED_PORT: port is ''"),
        (
            {"FACED_INSECURE": "maybe"},
            "environment variable FACED_INSECURE: insecure is 'maybe', must be true or false",
        ),
    ],
)
def test_what_the_environment_cannot_say_is_refused(environment, message):
    with pytest.raises(SettingsError, match=message):
        load_settings(None, environment, {})


def test_variables_of_other_programs_are_none_of_the_servers():
    """Those that sources read by name, too: `export FACED_TRAIN_DIR=...` must not stop a server."""
    root = Path(__file__).parents[3]
    sources = [path for part in ("models", "clients") for path in (root / part).rglob("*.py")]
    read = {name for path in sources for name in re.findall(r'"(FACED_[A-Z_]+)"', path.read_text())}
    assert {"FACED_SERVER", "FACED_TRAIN_DIR", "FACED_CAMERA"} <= read
    settings = {entry.variable for entry in setting_entries()}
    environment = dict.fromkeys(
        {*read, "FACED_TOKEN", "FACED_DATA", "FACED_CARRIERS", "FACED_PROTO"} - settings, "other"
    )
    assert load_settings(None, environment, {}) == Settings()


def test_flags_are_named_in_their_errors():
    with pytest.raises(SettingsError, match="flag --queue-limit: queue_limit is '0', must be a whole number from 1"):
        load_settings(None, {}, {"queue_limit": "0"})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "[::]", "example.org", "192.168.1.5"])
def test_other_machines_need_insecure(host):
    with pytest.raises(SettingsError, match="insecure"):
        load_settings(None, {"FACED_HOST": host}, {})
    assert load_settings(None, {"FACED_HOST": host, "FACED_INSECURE": "1"}, {}).host == host


TLS = {"tls_cert": "c.pem", "tls_key": "k.pem"}


@pytest.mark.parametrize(
    ("flags", "missing"),
    [
        (TLS, r"without tokens \(token_file\) or callers' certificates \(tls_client_ca\): give these"),
        ({"token_file": "t"}, r"without TLS \(tls_cert, tls_key\): give these"),
        ({**TLS, "token_file": "t"}, None),
        ({**TLS, "tls_client_ca": "a.pem"}, None),
        ({"token_file": "t", "insecure": True}, None),
    ],
)
def test_other_machines_need_encryption_and_a_proof_of_who_calls(flags, missing):
    flags = {"host": "0.0.0.0", **flags}
    if missing is None:
        assert load_settings(None, {}, flags).host == "0.0.0.0"
    else:
        with pytest.raises(SettingsError, match=missing):
            load_settings(None, {}, flags)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"tls_cert": "c.pem"}, "tls_cert and tls_key: both or neither"),
        ({"tls_key": "k.pem"}, "tls_cert and tls_key: both or neither"),
        ({"tls_client_ca": "a.pem"}, "tls_client_ca needs tls_cert and tls_key"),
        ({"token_file": ""}, "flag --token-file: token_file is '', must be the name of a file"),
    ],
)
def test_files_that_need_each_other(flags, said):
    with pytest.raises(SettingsError, match=said):
        load_settings(None, {}, flags)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
def test_this_machine_needs_nothing(host):
    assert load_settings(None, {"FACED_HOST": host}, {}).host == host


def test_the_table_of_settings_is_current_and_has_all_of_them(request):
    page = (request.config.rootpath / "docs/settings.md").read_text(encoding="utf-8")
    assert page == settings_table()
    assert re.findall(r"^\| `(\w+)` ", page, re.MULTILINE) == [entry.name for entry in setting_entries()]


def test_every_setting_has_a_kind_a_sentence_and_a_default_of_its_kind():
    entries = list(setting_entries())
    assert [entry.name for entry in entries] == [field.name for field in dataclasses.fields(Settings)]
    for entry in entries:
        assert entry.help.endswith(".")
        default = getattr(Settings(), entry.name)
        if default is not None:
            assert entry.kind.check(default.value if isinstance(default, Precision) else default) == default
