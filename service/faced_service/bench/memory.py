"""Peak memory of a process that does one thing."""

from __future__ import annotations

import subprocess
import sys

from faced_proto.types import Engine

# The kernel's high-water mark of the process' own memory. (ru_maxrss would also count the parent's, up to the exec.)
_PRINT_PEAK = "print(next(l for l in open('/proc/self/status') if l.startswith('VmHWM')).split()[1])"


def detector_peak_mb(width: int, height: int, upsample: int, engine: Engine, threads: int) -> float:
    """Peak resident MB of a fresh process that runs only the detector of `engine`, on 20 frames (Linux)."""
    return peak_mb(
        "from faced_models.bundle import load_detector\n"
        "from faced_models.scale import ScanPlan\n"
        "from faced_proto.types import Precision\n"
        "from faced_service.bench.picture import bench_picture\n"
        f"detector = load_detector(backend={engine.backend!r}, device={engine.device!r},"
        f" precision=Precision({engine.precision.value!r}), cpu_threads={threads})\n"
        f"picture = bench_picture({width}, {height})\n"
        f"plan = ScanPlan({upsample}, 1.0, 0, 1.0, 80.0)\n"
        "for _ in range(20): detector.detect([picture], plan, [0.0])\n"
    )


def peak_mb(code: str) -> float:
    """Peak resident MB of a fresh Python process that runs `code`."""
    done = subprocess.run([sys.executable, "-c", code + _PRINT_PEAK], check=True, capture_output=True, text=True)
    return round(int(done.stdout.split()[-1]) / 1024, 1)
