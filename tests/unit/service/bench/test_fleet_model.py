"""The simulation where the answer is known: single cameras, too many frames, and a queue with a formula."""

import numpy as np
import pytest

simpy = pytest.importorskip("simpy")

from faced_service.bench.fleet import predict, replica_of  # noqa: E402
from faced_service.bench.fleet_model import Behaviour, Replica, schedules, simulate, together  # noqa: E402

STEADY = Replica(service_s=(0.05,), rest_s=(0.01,), rest_full_s=(0.03,))


def run(cameras, replica=STEADY, credits=4, seconds=100.0):
    return simulate(cameras, replica, credits=credits, seconds=seconds, seed=1)


def test_a_frame_that_is_alone_takes_its_service_and_the_rest():
    served = run([list(np.arange(0, 100, 0.1))])
    assert served.dropped == 0
    assert served.throughput == pytest.approx(10)
    assert served.latencies == pytest.approx(0.06)


@pytest.mark.parametrize("credits", [2, 4])
def test_one_camera_that_sends_too_much_gets_what_the_replica_can_do_and_drops_the_rest(credits):
    times = list(np.arange(0, 100, 0.01))
    served = run([times], Replica((0.05,), (0.0,), (0.0,)), credits)
    assert served.throughput == pytest.approx(20, rel=0.01)
    assert served.drop_share == pytest.approx(0.8, abs=0.01)
    # The newest that could be sent when the one before began, and waits for that one.
    assert served.percentile(99) <= 0.11 + 1e-9
    assert len(served.latencies) + served.dropped == len(times)


def test_the_replica_is_shared_by_cameras_and_stages_overlap():
    served = run([list(np.arange(i / 100, 100, 0.01)) for i in range(4)], Replica((0.05,), (0.0,), (0.02,)))
    assert served.throughput == pytest.approx(20, rel=0.01)
    # A round is four frames, and the newest begins.
    assert 0.07 <= served.percentile(50) <= 0.07 + 0.011


def test_a_frame_that_comes_after_the_choice_is_left_for_the_next_turn():
    # The first is searched from 0 to 0.05; by 0.04 the second has come, by 0.05 the third.
    times = [[0.0], [0.01, 0.045]]
    late, early = (run(times, Replica((0.05,), (0.0,), (0.0,), lead)) for lead in (0.0, 0.01))
    assert (late.dropped, early.dropped) == (1, 0)
    assert sorted(late.latencies) == pytest.approx([0.05, 0.055])
    assert sorted(early.latencies) == pytest.approx([0.05, 0.09, 0.105])


def test_many_cameras_that_are_seldom_active_wait_as_the_formula_says():
    draw = np.random.default_rng(3)
    seconds, load, cameras = 4000.0, 0.7, 500
    arrivals = np.sort(draw.uniform(0, seconds, draw.poisson(load * 20 * seconds)))
    owners = draw.integers(0, cameras, len(arrivals))
    served = run(
        [list(arrivals[owners == i]) for i in range(cameras)], Replica((0.05,), (0.0,), (0.0,)), seconds=seconds
    )
    # Pollaczek and Khinchine for a constant time of service.
    wanted = 0.05 + load * 0.05 / (2 * (1 - load))
    assert served.latencies.mean() == pytest.approx(wanted, rel=0.05)
    assert served.drop_share < 0.002


def test_cameras_send_what_they_should_in_the_mean_and_in_order():
    behaviour = Behaviour(rate=5.0, active_s=10.0, idle_s=40.0)
    assert behaviour.mean_rate == 1.0
    times = schedules(2000, behaviour, 100.0, seed=2)
    assert sum(map(len, times)) / 100 / 2000 == pytest.approx(1.0, rel=0.05)
    assert times == schedules(2000, behaviour, 100.0, seed=2)
    for frames in times:
        assert all(np.diff(frames) > 0)
        assert not frames or 0 <= frames[0] <= frames[-1] < 100
    always = schedules(1, Behaviour(5.0, 1.0, 0.0), 10.0, seed=2)
    assert len(always[0]) == 50


def test_more_replicas_drop_less_and_answer_sooner():
    behaviour = Behaviour(5.0, 10.0, 90.0)
    replica = replica_of(20.0, 0.06, None, 0.3, seed=1)
    assert replica.capacity == pytest.approx(20.0)
    rows = [predict(400, behaviour, replica, replicas, 60.0, 1) for replicas in (10, 20, 40)]
    assert [row.load for row in rows] == [1.0, 0.5, 0.25]
    assert rows[0].dropped_percent > rows[1].dropped_percent > rows[2].dropped_percent
    assert rows[0].p99_ms > rows[1].p99_ms > rows[2].p99_ms


def test_replicas_together_are_the_sum():
    one, two = run([[0.0]], seconds=10.0), run([[1.0], [2.0]], seconds=10.0)
    both = together([one, two])
    assert (both.throughput, both.dropped) == (0.3, 0)
