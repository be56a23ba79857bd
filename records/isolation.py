"""Run decoders in processes of their own: a crash, a hang or a flood of memory is a refused picture."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from records.interface import ImageFacts, NotAnImage

INSPECT, TO_SRGB = 1, 2
DONE, REFUSED = 0, 1
REQUEST = struct.Struct(">BQQ")
"""Operation, most pixels, length of the picture that follows."""
REPLY = struct.Struct(">BQ")
"""Outcome, length of what follows: JSON facts, pixels behind PIXELS, or the words of a refusal."""
PIXELS = struct.Struct(">II")
"""Height and width of the pixels that follow."""
TIMEOUT_S = 60.0
MEMORY_BYTES = 4 << 30
"""Address space of a process; a picture of 120 million pixels needs about 2 GiB at its peak."""
_TOO_MUCH = "the picture breaks its decoder"


class _Died(Exception):
    """The process ended within a request."""


class _Worker:
    """One decoding process, asked one thing at a time."""

    def __init__(self, memory_bytes: int) -> None:
        package = str(Path(__file__).resolve().parent.parent)
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        self._process = subprocess.Popen(  # noqa: S603  this interpreter, our module, a number
            [sys.executable, "-P", "-m", "records.image_worker", str(memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=kept | {"PYTHONPATH": package, "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )

    def ask(self, operation: int, max_pixels: int, data: bytes, timeout_s: float) -> tuple[int, bytes]:
        """Outcome and what came with it; raises _Died, TimeoutError."""
        assert self._process.stdin is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(timeout_s, give_up)
        timer.daemon = True
        timer.start()
        try:
            self._process.stdin.write(REQUEST.pack(operation, max_pixels, len(data)))
            self._process.stdin.write(data)
            self._process.stdin.flush()
            outcome, length = REPLY.unpack(self._read(REPLY.size))
            return outcome, self._read(length)
        except (_Died, OSError):
            if late.is_set():
                raise TimeoutError from None
            raise _Died from None
        finally:
            timer.cancel()

    def _read(self, length: int) -> bytes:
        assert self._process.stdout is not None
        data = self._process.stdout.read(length)
        if len(data) != length:
            raise _Died
        return data

    def end(self) -> None:
        """End the process; it holds nothing that could be lost."""
        self._process.kill()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):  # what a dead process left unread in the buffer
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


class Decoders:
    """A few decoding processes, started when needed, replaced when they die, ended with this one."""

    def __init__(
        self, most: int | None = None, timeout_s: float = TIMEOUT_S, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._most = most or max(1, min(4, os.cpu_count() or 1))
        self._others: list[_Worker] = []
        self._idle: list[_Worker] = []
        self.forget()

    def forget(self) -> None:
        """Leave all processes to whoever started them: a fork must not talk into its parent's pipes."""
        self._others += self._idle
        self._idle = []
        self._free = threading.BoundedSemaphore(self._most)
        self._lock = threading.Lock()

    def inspect(self, data: bytes, max_pixels: int) -> ImageFacts:
        """records.decoding.inspect, elsewhere."""
        return ImageFacts(**json.loads(self._ask(INSPECT, max_pixels, data)))

    def to_srgb(self, data: bytes, max_pixels: int) -> NDArray[np.uint8]:
        """records.decoding.to_srgb, elsewhere."""
        reply = self._ask(TO_SRGB, max_pixels, data)
        height, width = PIXELS.unpack_from(reply)
        return np.frombuffer(reply, np.uint8, offset=PIXELS.size).reshape(height, width, 3).copy()

    def warm_up(self) -> None:
        """Start a process if none waits."""
        with self._lock:
            if not self._idle:
                self._idle.append(_Worker(self._memory_bytes))

    def _ask(self, operation: int, max_pixels: int, data: bytes) -> bytes:
        with self._free:
            try:
                try:
                    outcome, reply = self._ask_one(operation, max_pixels, data)
                except _Died:
                    # Perhaps it was dead before: only who kills a second, fresh one is to blame.
                    outcome, reply = self._ask_one(operation, max_pixels, data)
            except (_Died, TimeoutError):
                raise NotAnImage(_TOO_MUCH) from None
        if outcome != DONE:
            raise NotAnImage(reply.decode())
        return reply

    def _ask_one(self, operation: int, max_pixels: int, data: bytes) -> tuple[int, bytes]:
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        if worker is None:
            worker = _Worker(self._memory_bytes)
        try:
            answer = worker.ask(operation, max_pixels, data, self._timeout_s)
        except BaseException:
            worker.end()
            raise
        with self._lock:
            self._idle.append(worker)
        return answer

    def close(self) -> None:
        """End every waiting process; the next request starts one anew."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()


DECODERS = Decoders()
"""Those of this process."""
atexit.register(DECODERS.close)
os.register_at_fork(after_in_child=DECODERS.forget)
