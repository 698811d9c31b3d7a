"""Predict what a fleet of cameras gets from so many replicas: answers, drops, waits; see docs/scaling.md."""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from faced_service.settings import Settings

if TYPE_CHECKING:
    from faced_service.bench.fleet_model import Behaviour, Replica

_SAMPLES = 2000


@dataclass(frozen=True, slots=True)
class FleetRow:
    """One number of replicas. `load` is what cameras send in the mean, in parts of what replicas can do."""

    cameras: int
    replicas: int
    load: float
    answered_per_second: float
    dropped_percent: float
    p50_ms: float
    p99_ms: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Cameras, and what a replica can do, as `tests.bench.fleet` or `faced bench` measured it."""
    parser.add_argument("--cameras", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--rate", type=float, default=5.0, help="frames/s of a camera while active (default: 5)")
    parser.add_argument("--active", type=float, default=10.0, help="seconds of activity in the mean (default: 10)")
    parser.add_argument("--idle", type=float, default=90.0, help="seconds between them in the mean (default: 90)")
    parser.add_argument("--capacity", type=float, required=True, help="frames/s of a replica at full load")
    parser.add_argument("--alone", type=float, required=True, help="milliseconds of a frame that is alone")
    parser.add_argument("--full", type=float, help="of one at full load, without its wait (default: as alone)")
    parser.add_argument("--variation", type=float, default=0.3, help="deviation of service times / mean (default: 0.3)")
    parser.add_argument("--replicas", type=_numbers, required=True, help="N,... to compare")
    parser.add_argument("--seconds", type=float, default=60.0, help="simulated time (default: 60)")
    parser.add_argument("--seed", type=int, default=1, help="another one is another minute (default: 1)")


def run(arguments: argparse.Namespace) -> list[FleetRow]:
    """A row for each number of replicas."""
    try:
        from faced_service.bench.fleet_model import Behaviour
    except ImportError as error:
        raise RuntimeError(f"{error.name} is not installed: pip install 'faced-service[cpu,plan]'") from error
    behaviour = Behaviour(arguments.rate, arguments.active, arguments.idle)
    full_s = None if arguments.full is None else arguments.full / 1e3
    replica = replica_of(arguments.capacity, arguments.alone / 1e3, full_s, arguments.variation, arguments.seed)
    return [
        predict(arguments.cameras, behaviour, replica, replicas, arguments.seconds, arguments.seed)
        for replicas in arguments.replicas
    ]


def replica_of(capacity: float, alone_s: float, full_s: float | None, variation: float, seed: int) -> Replica:
    """Service times of this mean and deviation, log-normal; `full_s` None: as alone."""
    from faced_service.bench.fleet_model import Replica

    sigma = float(np.sqrt(np.log1p(variation**2)))
    drawn = np.random.default_rng(seed).lognormal(-(sigma**2) / 2, sigma, _SAMPLES)
    service = drawn / drawn.mean() / capacity
    rest = (max(alone_s - 1 / capacity, 0.0),)
    return Replica(tuple(map(float, service)), rest, rest if full_s is None else (max(full_s - 1 / capacity, 0.0),))


def predict(cameras: int, behaviour: Behaviour, replica: Replica, replicas: int, seconds: float, seed: int) -> FleetRow:
    """Cameras stay with a replica that they found by chance, as connections do."""
    from faced_service.bench.fleet_model import schedules, simulate, together

    draw = random.Random(seed)
    shares: list[list[list[float]]] = [[] for _ in range(replicas)]
    for times in schedules(cameras, behaviour, seconds, seed):
        draw.choice(shares).append(times)
    credits = Settings().stream_credits
    served = together(
        [
            simulate(share, replica, credits=credits, seconds=seconds, seed=seed + number)
            for number, share in enumerate(shares)
        ]
    )
    return FleetRow(
        cameras=cameras,
        replicas=replicas,
        load=round(cameras * behaviour.mean_rate / (replicas * replica.capacity), 3),
        answered_per_second=round(served.throughput, 1),
        dropped_percent=round(100 * served.drop_share, 2),
        p50_ms=round(served.percentile(50) * 1e3, 1),
        p99_ms=round(served.percentile(99) * 1e3, 1),
    )


def _numbers(text: str) -> list[int]:
    numbers = [int(part) if part.isdigit() else 0 for part in text.split(",")]
    if min(numbers) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of whole numbers from 1")
    return numbers
