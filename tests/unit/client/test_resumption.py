"""When a stream that broke is taken up again, on a clock of the test's own."""

import pytest

from faced_client.errors import (
    Cancelled,
    InvalidRequest,
    Overloaded,
    QuotaExceeded,
    ServerFailure,
    Unauthenticated,
    Unavailable,
)
from faced_client.resumption import Resumption


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_pauses_double_up_to_a_second_and_end_with_the_patience():
    clock = Clock()
    resumption = Resumption(5.0, clock)
    pauses = []
    while (pause := resumption.pause_after(Unavailable("gone"))) is not None:
        pauses.append(pause)
        clock.now += pause
    assert 4.0 < sum(pauses) <= 5.0
    for pause, nominal in zip(pauses, [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0], strict=False):
        assert nominal * 0.8 <= pause <= nominal * 1.2


def test_an_outcome_makes_patience_and_pauses_new():
    clock = Clock()
    resumption = Resumption(5.0, clock)
    resumption.pause_after(Unavailable("gone"))
    resumption.pause_after(Unavailable("gone"))
    clock.now += 60
    resumption.progressed()
    assert 0.08 <= resumption.pause_after(Unavailable("gone")) <= 0.12


def test_a_start_with_nothing_to_answer_makes_patience_new():
    """A camera that sees nothing for long outlives every server that sends its streams elsewhere."""
    clock = Clock()
    resumption = Resumption(5.0, clock)
    for _ in range(3):
        resumption.started(0)
        clock.now += 300
        assert 0.08 <= resumption.pause_after(Unavailable("the connection is old")) <= 0.12


def test_a_start_alone_is_no_progress():
    clock = Clock()
    resumption = Resumption(5.0, clock)
    resumption.pause_after(Unavailable("gone"))
    clock.now += 6
    resumption.started(1)
    assert resumption.pause_after(Unavailable("gone")) is None


@pytest.mark.parametrize("error", [Overloaded("full"), QuotaExceeded("streams"), Cancelled("by the server")])
def test_some_errors_pass_only_for_a_stream_that_was_taken_once(error):
    resumption = Resumption(5.0)
    assert resumption.pause_after(error) is None
    resumption.started(1)
    assert resumption.pause_after(error) > 0


def test_the_servers_own_delay_is_kept():
    resumption = Resumption(5.0)
    resumption.started(1)
    assert resumption.pause_after(Overloaded("full", retry_after=2.5)) == 2.5
    assert resumption.pause_after(Overloaded("full", retry_after=7.0)) is None


@pytest.mark.parametrize(
    "error", [ServerFailure("a mistake"), Unauthenticated("no token"), InvalidRequest("an option")]
)
def test_other_errors_are_final(error):
    resumption = Resumption(5.0)
    resumption.started(1)
    assert resumption.pause_after(error) is None


def test_no_patience_makes_all_final():
    assert Resumption(0.0).pause_after(Unavailable("gone")) is None
