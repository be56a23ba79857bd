"""Builds the packet loop: `python -m media.native.build` compiles the files in C, behind cffi's API mode.

cffi writes the binding, the system's C compiler (CC, else cc) does the rest; nothing else is needed than the
headers of Python and of the C library.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

try:
    import cffi
except ImportError:
    cffi = None

FOLDER = Path(__file__).resolve().parent
MODULE = "media.native._loop"
SOURCES = (
    "addresses.c",
    "forward.c",
    "loop.c",
    "payload.c",
    "rtp.c",
    "sockets.c",
    "srtp.c",
    "stream.c",
    "thread.c",
    "waiting.c",
)
WARNINGS = ("-Wall", "-Wextra", "-Wmissing-prototypes", "-Werror")
FLAGS = ("-std=c11", "-O2", "-fstack-protector-strong", "-ffp-contract=off", "-fvisibility=hidden")
"""-ffp-contract=off: jitter comes out as Python's arithmetic has it, on every processor."""


class NotBuilt(Exception):
    """The loop could not be compiled; the text says what to do."""


def compiler() -> list[str] | None:
    """The C compiler's command, or None where there is none."""
    words = shlex.split(os.environ.get("CC", "cc"))
    return words if words and shutil.which(words[0]) else None


def declarations() -> str:
    """loop.h as cffi reads it: without the preprocessor's lines."""
    lines = (FOLDER / "loop.h").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))


def target() -> Path:
    """The library's file, as this Python names extension modules."""
    return FOLDER / f"_loop{sysconfig.get_config_var('EXT_SUFFIX')}"


def build(into: Path | None = None) -> Path:
    """Compile; returns the library's path. Raises NotBuilt."""
    if cffi is None:
        raise NotBuilt("the package cffi is missing")
    command = compiler()
    if command is None:
        raise NotBuilt("there is no C compiler: install one (Debian: gcc and libc6-dev)")
    headers = Path(sysconfig.get_paths()["include"])
    if not (headers / "Python.h").exists():
        raise NotBuilt("Python's headers are missing (Debian: python3-dev)")
    library = into or target()
    ffi = cffi.FFI()
    ffi.cdef(declarations())
    ffi.set_source(MODULE, '#include "loop.h"')
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        binding, fresh = Path(scratch) / "_loop.c", Path(scratch) / library.name
        with contextlib.redirect_stdout(sys.stderr):
            ffi.emit_c_code(str(binding))
        options = [*FLAGS, "-fPIC", "-shared", f"-I{FOLDER}", f"-I{headers}"]
        sources = [str(FOLDER / name) for name in SOURCES]
        # The loop itself is compiled without a warning; the binding around it is cffi's.
        check = [*command, *FLAGS, *WARNINGS, "-fsyntax-only", *sources]
        make = [*command, *options, *sources, str(binding), "-o", str(fresh), "-ldl", "-lm", "-lpthread"]
        for words in (check, make):
            done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our words
            if done.returncode:
                raise NotBuilt(f"{command[0]} failed:\n{done.stderr.strip()}")
        fresh.replace(library)
    return library


def main() -> int:
    """Build, and say where it is or why there is none."""
    try:
        print(build())
    except NotBuilt as reason:
        print(f"not built: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
