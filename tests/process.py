"""What the kernel says of processes (Linux), and which port of the loopback is free."""

import os
import socket
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def resident_mb(pid: int) -> float:
    return _number(pid, "VmRSS") / 1024


def peak_mb(pid: int) -> float:
    return _number(pid, "VmHWM") / 1024


def threads(pid: int) -> int:
    return _number(pid, "Threads")


def open_files(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def processes_of_session(session: int) -> list[int]:
    """Those that are there."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if _session_of(entry) == session]


def cpu_seconds(pid: int) -> float:
    """Of all its threads, in user and system mode."""
    try:
        numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def _session_of(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[3])
    except (OSError, IndexError):
        return None


def _number(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
