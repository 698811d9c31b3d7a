import pytest

from faced_service import rate_limit
from faced_service.rate_limit import RateLimit


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_seconds_worth_at_once_and_then_the_rate(clock):
    limit = RateLimit(4, clock=clock)
    assert [limit.take("a") for _ in range(4)] == [0] * 4
    assert limit.take("a") == pytest.approx(0.25)
    clock.now += 0.2
    assert limit.take("a") == pytest.approx(0.05)
    clock.now += 0.06
    assert limit.take("a") == 0
    assert limit.take("a") == pytest.approx(0.24)


def test_the_rate_holds_over_time(clock):
    limit = RateLimit(10, clock=clock)
    taken = 0
    for _ in range(10_000):
        taken += limit.take("a") == 0
        clock.now += 0.01
    assert taken == pytest.approx(10 + 100 * 10, abs=1)


def test_slow_rates_still_allow_two_at_once(clock):
    limit = RateLimit(0.1, clock=clock)
    assert [limit.take("a"), limit.take("a")] == [0, 0]
    assert limit.take("a") == pytest.approx(10)


def test_keys_have_buckets_of_their_own(clock):
    limit = RateLimit(2, clock=clock)
    assert [limit.take("a") for _ in range(3)] == [0, 0, pytest.approx(0.5)]
    assert limit.take("b") == 0


def test_who_waits_gets_the_times_that_come(clock):
    limit = RateLimit(2, clock=clock)
    assert [limit.book("a") for _ in range(5)] == pytest.approx([0, 0, 0.5, 1.0, 1.5])
    clock.now += 1.6
    assert limit.take("a") == pytest.approx(0.4)


def test_what_is_given_back_is_there_for_others(clock):
    limit = RateLimit(2, clock=clock)
    assert [limit.book("a") for _ in range(4)] == pytest.approx([0, 0, 0.5, 1.0])
    limit.give_back("a")
    limit.give_back("a")
    assert limit.take("a") == pytest.approx(0.5)
    clock.now += 0.5
    assert limit.take("a") == 0
    assert limit.take("a") == pytest.approx(0.5)


def test_who_books_and_gives_back_gets_no_more_than_the_rate(clock):
    limit = RateLimit(10, clock=clock)
    taken = 0
    for _ in range(1000):
        if limit.book("a") > 0:
            limit.give_back("a")
        else:
            taken += 1
        clock.now += 0.01
    assert taken == pytest.approx(10 + 10 * 10, abs=1)


def test_what_is_given_back_to_a_forgotten_bucket_changes_nothing(clock):
    limit = RateLimit(2, clock=clock)
    limit.give_back("a")
    assert len(limit) == 0
    assert [limit.book("a") for _ in range(3)] == pytest.approx([0, 0, 0.5])


def test_full_buckets_are_forgotten(clock):
    limit = RateLimit(2, clock=clock)
    for number in range(rate_limit._FORGET_ABOVE + 1):
        limit.take(number)
    clock.now += 10
    limit.take("last")
    assert len(limit) == 1
