"""What every benchmark shares: options, order of repetitions, medians, figures that a tool can read."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TypeVar

Side = TypeVar("Side")
Value = str | int | float | bool | None


class PeerDidNotRun(Exception):
    """A comparison lacks one side: no ratio is printed for it."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    quick: bool
    json_file: Path | None
    full: bool = False


def parse(
    name: str, description: str, arguments: Sequence[str] | None = None, *, has_full: bool = False
) -> Options:
    """Read `./dev bench NAME [--quick] [--json FILE]`, and [--full] where there is a longer table; exits with
    2 on anything else."""
    parser = argparse.ArgumentParser(prog=f"./dev bench {name}", description=description)
    parser.add_argument("--quick", action="store_true", help="a short run, to see that it works")
    if has_full:
        parser.add_argument("--full", action="store_true", help="the long table, for which to leave it alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    read = parser.parse_args(arguments)
    return Options(quick=read.quick, json_file=read.json, full=has_full and read.full)


@dataclass(slots=True)
class Report:
    """Figures (named numbers), rows (single measurements) and conditions of one benchmark."""

    name: str
    conditions: dict[str, Value] = field(default_factory=dict)
    rows: list[dict[str, Value]] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)

    def figure(self, name: str, value: float) -> None:
        """Keep a figure; refuses a name twice and a number that is none."""
        if name in self.figures:
            raise ValueError(f"figure {name} stands already")
        if not math.isfinite(value):
            raise ValueError(f"figure {name} is not a finite number")
        self.figures[name] = value

    def row(self, **values: Value) -> None:
        """Keep one measurement."""
        self.rows.append(values)

    def ratio(self, name: str, ours: Sequence[float], peers: Sequence[float]) -> None:
        """Keep median(ours) / median(peers). Raises PeerDidNotRun when either side has no measurement."""
        if not ours or not peers:
            raise PeerDidNotRun(f"{name}: one side did not run, so there is no ratio")
        self.figure(name, statistics.median(ours) / statistics.median(peers))

    def as_json(self) -> str:
        """The report as the text of a JSON file."""
        whole = {"figures": self.figures, "rows": self.rows, "conditions": self.conditions}
        return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def finish(self, options: Options) -> None:
        """Print the figures for a person, and write the file that was asked for."""
        width = max((len(name) for name in self.figures), default=0)
        for name, value in self.figures.items():
            print(f"{name:{width}}  {value:.4g}")
        for name, condition in self.conditions.items():
            print(f"  {name}: {condition}")
        if options.json_file is not None:
            options.json_file.parent.mkdir(parents=True, exist_ok=True)
            options.json_file.write_text(self.as_json(), encoding="utf-8")
            print(f"written: {options.json_file}")
        sys.stdout.flush()


def machine(*packages: str) -> dict[str, Value]:
    """Conditions that every report states: processor, load, system, Python, versions of what is measured.

    A load near or above the number of cores says that something else ran: the figures are then worth little.
    """
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in packages},
    }


def interleaved(sides: Mapping[str, Side], repetitions: int) -> Iterator[tuple[int, str, Side]]:
    """Each side in turn, `repetitions` times, the order reversed every other time.

    What drifts (heat, other work on the machine) then touches all sides alike.
    """
    for repetition in range(repetitions):
        turn = list(sides.items())
        for name, side in turn if repetition % 2 == 0 else reversed(turn):
            yield repetition, name, side


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of the values do not exceed (nearest rank, never interpolated)."""
    if not values or not 0 < percent <= 100:
        raise ValueError("a percentile needs values, and a percentage above 0 and up to 100")
    return sorted(values)[math.ceil(percent / 100 * len(values)) - 1]


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor()
    found = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return found[0] if found else platform.processor()
