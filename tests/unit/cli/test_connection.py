"""Which settings the server in this process gets."""

from contextlib import contextmanager

import pytest

from faced_cli import video_command
from faced_cli.arguments import Connection
from faced_cli.connection import reach


@pytest.fixture
def started(monkeypatch):
    """The settings of the servers that were started; none listens."""
    settings = []

    @contextmanager
    def server(given):
        settings.append(given)
        yield "127.0.0.1:9"

    monkeypatch.setattr("faced_service.embedded.EmbeddedServer", server)
    return settings


def runs(started, *defaults):
    with reach(Connection(None, None, None, None, None), *defaults) as reached:
        assert reached.embedded
    return started[-1].detect_runs


def test_a_command_s_defaults_count_where_the_environment_says_nothing(started, monkeypatch):
    monkeypatch.delenv("FACED_DETECT_RUNS", raising=False)
    assert runs(started) == 1
    assert runs(started, video_command.SERVER_DEFAULTS) == 2
    monkeypatch.setenv("FACED_DETECT_RUNS", "3")
    assert runs(started) == 3
    assert runs(started, video_command.SERVER_DEFAULTS) == 3
