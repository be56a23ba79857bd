"""A network of the bench's own: a namespace with one address that is not loopback's, since Janus offers
none there.

Packets between two addresses of one namespace go through the kernel's loopback, for every relay alike.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HOST = "10.98.76.1"
_INSIDE = "TRUEHUE_BENCH_NAMESPACE"


def inside() -> bool:
    """Whether this process runs in the namespace already."""
    return _INSIDE in os.environ


def can_enter() -> bool:
    """Whether a namespace can be made here: as root, on Linux, with iproute2."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("ip") is not None


def run_inside(module: str, arguments: list[str]) -> int:
    """Run this Python module in a namespace that is taken down in the end; its exit code."""
    name = f"truehue-bench-{os.getpid()}"
    pair = f"tb{os.getpid()}"
    _ip("netns", "add", name)
    try:
        for step in (
            ("link", "set", "lo", "up"),
            ("link", "add", f"{pair}a", "type", "veth", "peer", "name", f"{pair}b"),
            ("addr", "add", f"{HOST}/24", "dev", f"{pair}a"),
            ("link", "set", f"{pair}a", "up"),
            ("link", "set", f"{pair}b", "up"),
        ):
            _ip("-n", name, *step)
        root = Path(__file__).resolve().parents[2]
        command = ["ip", "netns", "exec", name, sys.executable, "-m", module, *arguments]
        return subprocess.run(command, env={**os.environ, _INSIDE: name}, cwd=root, check=False).returncode
    finally:
        _ip("netns", "del", name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
