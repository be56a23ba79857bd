"""Whether a soak went well: memory and tables at the end against those after the warm-up. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MEMORY_SHARE = 0.03
MEMORY_BYTES = 3 << 20
"""What memory may grow by between the halves: allocators and interpreters are never quite still."""
TABLE_SHARE = 0.1
TABLE_ENTRIES = 16
"""What a table may grow by: entries come and go with viewers and with loss."""
RECOVERED_SHARE = 0.9
"""Of what a viewer misses, so much must have come again; the rest was missed in a last moment."""
FEWEST_SAMPLES = 6


@dataclass(frozen=True, slots=True)
class Sample:
    """What a relay holds at a time."""

    at_s: float
    resident_bytes: int
    tables: Mapping[str, int]

    def __str__(self) -> str:
        held = sum(self.tables.values())
        memory = f"{self.resident_bytes / 1e6:6.1f} MB"
        return f"{self.at_s:6.0f} s  {memory}  {held} entries in {len(self.tables)} tables"


def judge(
    samples: Sequence[Sample], warm_up_share: float, without_picture: int, lost: int, recovered: int
) -> list[str]:
    """What failed, in words; empty when nothing did. Compares medians of the two halves after the warm-up."""
    settled = samples[int(len(samples) * warm_up_share) :]
    faults = []
    if len(settled) < FEWEST_SAMPLES:
        faults.append(f"only {len(settled)} samples after the warm-up: soak longer")
    else:
        faults += _grown(settled)
    if without_picture:
        faults.append(f"{without_picture} viewers saw no picture in time")
    if not lost:
        faults.append("nothing was lost, so recovery was not tried")
    elif recovered < RECOVERED_SHARE * lost:
        faults.append(f"of {lost} lost packets only {recovered} came again")
    return faults


def _grown(settled: Sequence[Sample]) -> list[str]:
    half = len(settled) // 2
    early, late = settled[:half], settled[-half:]
    faults = []
    before = statistics.median(sample.resident_bytes for sample in early)
    after = statistics.median(sample.resident_bytes for sample in late)
    if after - before > max(MEMORY_BYTES, MEMORY_SHARE * before):
        faults.append(f"memory grew from {before / 1e6:.1f} to {after / 1e6:.1f} MB")
    for name in late[-1].tables:
        before = statistics.median(sample.tables.get(name, 0) for sample in early)
        after = statistics.median(sample.tables.get(name, 0) for sample in late)
        if after - before > max(TABLE_ENTRIES, TABLE_SHARE * before):
            faults.append(f"{name} grew from {before:.0f} to {after:.0f}")
    return faults
