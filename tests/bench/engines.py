"""One replica behind Ray Serve against the built-in engine, on this machine: throughput, and where the rest goes.

    python -m tests.bench.engines

Both servers run all the time, each with as many threads as there are cores, and get calls in turn, several rounds;
medians are compared. CPU seconds are those of the processes by their names, for each frame that was answered.
"""

import argparse
import asyncio
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.caller import calling
from tests.bench.load import ANALYZE, Calls, call, closed_loop, p99, picture_of, request_of
from tests.e2e.conftest import serve
from tests.process import cpu_seconds, processes_of_session
from tests.ray_server import ray_server

LEAST_SHARE = 0.70
CALLERS = 8
ROLES = {"ray::ServeReplica": "replica", "ray::ProxyActor": "proxy", "faced": "server"}


@dataclass(frozen=True)
class Engine:
    """A server: its address, what calls must carry, its processes by their roles."""

    name: str
    address: str
    metadata: tuple[tuple[str, str], ...]
    process: int

    def cpu(self) -> Mapping[str, float]:
        """CPU seconds so far by role."""
        seconds: dict[str, float] = defaultdict(float)
        for pid in processes_of_session(self.process) or [self.process]:
            title = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
            role = next((role for name, role in ROLES.items() if name in title.split(" ")[0]), "rest of Ray")
            seconds[role] += cpu_seconds(pid)
        return seconds


async def measure(engine: Engine, request: bytes, seconds: float) -> tuple[Calls, Mapping[str, float]]:
    async with calling(engine.address, ANALYZE, request, metadata=engine.metadata) as caller:

        async def one(calls: Calls) -> float:
            return await call(caller, calls)

        before = engine.cpu()
        calls = await closed_loop(one, CALLERS, seconds)
        after = engine.cpu()
        return calls, {role: after[role] - before.get(role, 0.0) for role in after}


async def compare(engines: list[Engine], size: str, encode: str, rounds: int, seconds: float) -> bool:
    request = request_of(picture_of(size, encode)).SerializeToString()
    runs: dict[str, list[Calls]] = defaultdict(list)
    cpu: dict[str, dict[str, float]] = {engine.name: defaultdict(float) for engine in engines}
    for engine in engines:
        await measure(engine, request, 2.0)
    for _ in range(rounds):
        for engine in engines:
            calls, spent = await measure(engine, request, seconds)
            runs[engine.name].append(calls)
            for role, value in spent.items():
                cpu[engine.name][role] += value
    rates = {name: statistics.median(calls.rate for calls in of) for name, of in runs.items()}
    for name, of in runs.items():
        times = [time for calls in of for time in calls.answered]
        frames = len(times)
        parts = ", ".join(f"{role} {value / frames * 1e3:.1f}" for role, value in sorted(cpu[name].items()))
        print(
            f"{size} {encode}, {name}: {rates[name]:.1f} frames/s, p50 {statistics.median(times) * 1e3:.0f} ms, "
            f"p99 {p99(times) * 1e3:.0f} ms; CPU ms a frame: {parts}",
            flush=True,
        )
    failed = [what for of in runs.values() for calls in of for what in calls.failed]
    for what in failed[:10]:
        print("FAULT", what)
    first, second = engines
    share = statistics.median(
        ray.rate / built_in.rate for built_in, ray in zip(runs[first.name], runs[second.name], strict=True)
    )
    met = share >= LEAST_SHARE
    print(f"{size} {encode}, Ray / built-in: {share:.0%}, at least {LEAST_SHARE:.0%}: {'met' if met else 'MISSED'}")
    return met and not failed


async def run(engines: list[Engine], arguments: argparse.Namespace) -> int:
    met = [
        await compare(engines, size, arguments.encode, arguments.rounds, arguments.seconds)
        for size in arguments.sizes.split(",")
    ]
    return 0 if all(met) else 1


def main() -> int:
    """Print the comparison; 1 if the target is missed or a call failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each measurement")
    parser.add_argument("--sizes", default="640x480,320x240")
    parser.add_argument("--encode", default="jpeg:90", help="raw or jpeg:QUALITY")
    arguments = parser.parse_args()
    with serve("--log-level", "error") as built_in, ray_server("--log-level", "error") as ray:
        engines = [
            Engine("built-in", built_in.address, (), built_in.process.pid),
            Engine("Ray", ray.address, ray.metadata, ray.session),
        ]
        return asyncio.run(run(engines, arguments))


if __name__ == "__main__":
    sys.exit(main())
