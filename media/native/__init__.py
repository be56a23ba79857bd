"""The packet loop in C (loop.c and its neighbours), where it was built and is wanted; else why not."""

from __future__ import annotations

import functools
import sys
from typing import Any


@functools.cache
def _load() -> tuple[Any, Any, str]:
    if not sys.platform.startswith("linux"):
        return None, None, "it is made for Linux"
    try:
        from media.native import _loop  # type: ignore[attr-defined,unused-ignore]
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError)
        return None, None, "it was not built" if missing else f"it does not load: {error}"
    reason = _loop.lib.loop_open_crypto()
    if reason != _loop.ffi.NULL:
        return None, None, _loop.ffi.string(reason).decode()
    return _loop.lib, _loop.ffi, ""


def library() -> tuple[Any, Any]:
    """cffi's (lib, ffi) of the loop. Raises RuntimeError where there is none."""
    lib, ffi, reason = _load()
    if lib is None:
        raise RuntimeError(reason)
    return lib, ffi


def why_not() -> str | None:
    """Why the loop cannot be used here, or None when it can."""
    return _load()[2] or None
