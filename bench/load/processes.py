"""What a relay's processes use: CPU time and memory, from /proc, children and threads included."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def family(pid: int) -> list[int]:
    """A process and all its descendants that live now."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = _stat(int(entry.name))
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def cpu_s(pid: int) -> float:
    """User and system time of a process and its descendants so far, children that have ended included.

    Where the kernel tells nanoseconds a thread (schedstat), the threads that live are read from there: the
    hundredths of a second in stat are too coarse for a relay that hardly does anything.
    """
    total = 0.0
    for each in family(pid):
        fields = _stat(each)
        in_ticks = sum(int(value) for value in fields[11:13]) / _TICKS_PER_S
        ended_children = sum(int(value) for value in fields[13:15]) / _TICKS_PER_S
        exact = _threads_s(each)
        # Threads that have ended are in stat alone: then the coarse number is the larger one.
        total += (exact if exact > in_ticks - 0.05 else in_ticks) + ended_children
    return total


def resident_bytes(pid: int) -> int:
    """Memory in RAM of a process and its descendants."""
    return sum(int(_statm(each)[1]) * _PAGE_BYTES for each in family(pid))


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on: [0] state, [1] parent, [11] utime, [12] stime and so on."""
    return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()


def _statm(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/statm").read_text("utf-8").split()


def _threads_s(pid: int) -> float:
    nanoseconds = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            nanoseconds += int((thread / "schedstat").read_text("utf-8").split()[0])
        except OSError:
            continue
    return nanoseconds * 1e-9
