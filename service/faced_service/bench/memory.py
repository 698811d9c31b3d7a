"""What a fresh process prints, and its peak memory."""

from __future__ import annotations

import subprocess
import sys

from faced_proto.types import Engine

# The kernel's high-water mark of the process' own memory, in kB. (ru_maxrss would also count the parent's, up to exec.)
_PRINT_PEAK = "\nprint(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"


def run_apart(code: str) -> tuple[list[str], float]:
    """Run `code` in a fresh Python process (Linux): the lines that it prints, and its peak resident MB.

    Raises:
        RuntimeError: it failed; the message ends with what it said.
    """
    done = subprocess.run([sys.executable, "-c", code + _PRINT_PEAK], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the measured process failed: {done.stderr.strip().splitlines()[-1]}")
    *lines, peak = done.stdout.splitlines()
    return lines, round(int(peak) / 1024, 1)


def detector_peak_mb(width: int, height: int, upsample: int, engine: Engine, threads: int) -> float:
    """Peak resident MB of a process that runs only the detector of `engine`, on 20 frames."""
    _, peak_mb = run_apart(
        "from faced_models.bundle import load_detector\n"
        "from faced_models.scale import ScanPlan\n"
        "from faced_proto.types import Precision\n"
        "from faced_service.bench.picture import bench_picture\n"
        f"detector = load_detector(backend={engine.backend!r}, device={engine.device!r},"
        f" precision=Precision({engine.precision.value!r}), cpu_threads={threads})\n"
        f"picture = bench_picture({width}, {height})\n"
        f"plan = ScanPlan({upsample}, 1.0, 0, 1.0, 80.0)\n"
        "for _ in range(20): detector.detect([picture], plan, [0.0])"
    )
    return peak_mb
