"""The decoding process: answers requests of records.isolation on stdin and stdout until stdin ends.

It has little memory, may write no file and leaves no core dump: whatever takes it over has nothing to reach.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import sys
import warnings

from records import decoding
from records.interface import NotAnImage
from records.isolation import DONE, INSPECT, PIXELS, REFUSED, REPLY, REQUEST


def _limit(memory_bytes: int) -> None:
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _answer(operation: int, max_pixels: int, data: bytes) -> bytes:
    if operation == INSPECT:
        return json.dumps(dataclasses.asdict(decoding.inspect(data, max_pixels))).encode()
    rgb = decoding.to_srgb(data, max_pixels)
    return PIXELS.pack(rgb.shape[0], rgb.shape[1]) + rgb.tobytes()


def main(memory_bytes: int) -> None:
    """Serve until stdin ends."""
    _limit(memory_bytes)
    warnings.simplefilter("ignore")  # decoders warn about damaged metadata; nobody reads it here
    while len(head := sys.stdin.buffer.read(REQUEST.size)) == REQUEST.size:
        operation, max_pixels, length = REQUEST.unpack(head)
        data = sys.stdin.buffer.read(length)
        try:
            outcome, reply = DONE, _answer(operation, max_pixels, data)
        except NotAnImage as refused:
            outcome, reply = REFUSED, str(refused).encode()
        except MemoryError:
            outcome, reply = REFUSED, b"the picture needs more memory than it may have"
        sys.stdout.buffer.write(REPLY.pack(outcome, len(reply)) + reply)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
