"""Decoders elsewhere: what crashes, hangs or floods them is a refused picture, and the next one is read."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from records import decoding, images
from records.interface import NotAnImage
from records.isolation import INSPECT, REFUSED, REPLY, REQUEST, Decoders
from tests.support.pictures import bands, encoded, exif, heic, png_claiming

JPEG = encoded(bands(), "JPEG", exif=exif(6, True))
# An item whose four-letter type is no text: it has crashed a HEIC reader outright.
CRASHING = heic(bands(), exif_block=exif(6)).replace(b"Exif\0", b"\xa1xif\0", 1)
PIXELS = 1_000_000


@pytest.fixture
def decoders() -> Iterator[Decoders]:
    """One decoding process."""
    one = Decoders(most=1)
    yield one
    one.close()


def test_elsewhere_gives_the_same_as_here(decoders: Decoders) -> None:
    assert decoders.inspect(JPEG, PIXELS) == decoding.inspect(JPEG, PIXELS)
    assert np.array_equal(decoders.to_srgb(JPEG, PIXELS), decoding.to_srgb(JPEG, PIXELS))
    assert decoders.to_srgb(JPEG, PIXELS).flags.writeable


def test_a_refusal_keeps_its_words(decoders: Decoders) -> None:
    with pytest.raises(NotAnImage, match="96 x 64"):
        decoders.inspect(JPEG, 100)
    with pytest.raises(NotAnImage, match="no JPEG"):
        decoders.to_srgb(b"<svg/>", PIXELS)


def test_a_picture_that_crashes_its_decoder_is_refused(decoders: Decoders) -> None:
    for call in (decoders.inspect, decoders.to_srgb):
        with pytest.raises(NotAnImage):
            call(CRASHING, PIXELS)
        assert decoders.inspect(JPEG, PIXELS).has_location


def test_a_picture_that_hangs_its_decoder_is_refused() -> None:
    hasty = Decoders(most=1, timeout_s=0.0)
    with pytest.raises(NotAnImage):
        hasty.inspect(JPEG, PIXELS)
    hasty.close()


def test_a_picture_that_floods_memory_is_refused() -> None:
    tight = Decoders(most=1, memory_bytes=1 << 30)
    with pytest.raises(NotAnImage, match="memory"):
        tight.to_srgb(png_claiming(30_000, 30_000), 1 << 62)
    assert tight.inspect(JPEG, PIXELS).width_px == 64
    tight.close()


def test_a_process_that_died_meanwhile_is_replaced(decoders: Decoders) -> None:
    decoders.warm_up()
    decoders.close()
    decoders.warm_up()
    decoders.warm_up()
    assert decoders.inspect(JPEG, PIXELS).width_px == 64


def test_many_threads_share_a_few(decoders: Decoders) -> None:
    pictures = [encoded(np.full((8, 8 + n, 3), n, np.uint8), "PNG") for n in range(24)]
    with ThreadPoolExecutor(8) as threads:
        facts = list(threads.map(lambda data: decoders.inspect(data, PIXELS), pictures))
    assert [fact.width_px for fact in facts] == [8 + n for n in range(24)]


def _in_a_child(data: bytes) -> int:
    return images.inspect(data).width_px


def test_a_spawned_child_has_decoders_of_its_own() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(_in_a_child, JPEG).result() == 64


def test_a_forked_child_has_decoders_of_its_own() -> None:
    program = (
        "import os, sys\n"
        "from records import images\n"
        "data = sys.stdin.buffer.read()\n"
        "assert images.inspect(data).width_px == 64\n"
        "child = os.fork()\n"
        "assert images.inspect(data).width_px == 64\n"
        "if child == 0:\n"
        "    images.DECODERS.close()\n"
        "    os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "assert images.inspect(data).width_px == 64\n"
    )
    subprocess.run([sys.executable, "-c", program], input=JPEG, check=True)


def test_the_process_may_write_no_file_and_ends_with_its_input() -> None:
    program = (
        "import runpy, sys, atexit, os, resource\n"
        "sys.argv=['records.image_worker', str(4 << 30)]\n"
        "runpy.run_module('records.image_worker', run_name='__main__')\n"
        "limits = [resource.getrlimit(r) for r in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)]\n"
        "os.write(2, repr(limits).encode())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=REQUEST.pack(INSPECT, PIXELS, 3) + b"GIF",
        capture_output=True,
        check=True,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    outcome, length = REPLY.unpack_from(done.stdout)
    assert outcome == REFUSED
    assert len(done.stdout) == REPLY.size + length
    assert json.loads(done.stderr.decode().replace("(", "[").replace(")", "]")) == [[0, 0], [0, 0]]
