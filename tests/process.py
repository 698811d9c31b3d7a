"""What the kernel says of a process (Linux)."""

from pathlib import Path


def resident_mb(pid: int) -> float:
    return _number(pid, "VmRSS") / 1024


def peak_mb(pid: int) -> float:
    return _number(pid, "VmHWM") / 1024


def threads(pid: int) -> int:
    return _number(pid, "Threads")


def open_files(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def _number(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
