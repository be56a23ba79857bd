"""The tap: real encoders, real RTP payloads, decoded frames on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from media.depacketize import CodedPicture
from media.emphasis import SKIN, forward_table
from media.interface import ChromaEmphasis, TappedFrame
from media.tap import PictureQueue, Tap, sharpness
from media.yuv import to_rgb
from tests.media.coded import L1T3, encode, encoder, flat_frame, moving_frames, packets, yuv_frame

CODECS = ("VP8", "VP9", "H264", "AV1")
PICTURE_S = 1 / 30


class Watcher:
    """Takes what a tap delivers, and lets a test wait for it."""

    def __init__(self) -> None:
        self.frames: list[TappedFrame] = []
        self.keyframes_asked = 0
        self._changed = asyncio.Event()

    def deliver(self, frame: TappedFrame) -> None:
        assert asyncio.get_running_loop() is not None
        self.frames.append(frame)
        self._changed.set()

    def request_keyframe(self) -> None:
        self.keyframes_asked += 1
        self._changed.set()

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not done():
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
def make_tap(watcher: Watcher) -> Iterator[Callable[..., Tap]]:
    taps: list[Tap] = []

    def make(codec: str, interval_s: float = 0.0, emphasis: ChromaEmphasis | None = None) -> Tap:
        loop = asyncio.get_running_loop()
        taps.append(Tap("pub", codec, interval_s, loop, watcher.deliver, watcher.request_keyframe, emphasis))
        return taps[-1]

    yield make
    for tap in taps:
        tap.close()


def feed(tap: Tap, codec: str, pictures: list[list[bytes]], first: int = 0) -> None:
    for index, parts in enumerate(pictures, first):
        for packet in parts:
            tap.feed(codec, packet, index * PICTURE_S)


@pytest.mark.parametrize("codec", CODECS)
async def test_every_picture_is_decoded(codec: str, make_tap: Callable[..., Tap], watcher: Watcher) -> None:
    frames = moving_frames(10)
    tap = make_tap(codec)
    feed(tap, codec, packets(codec, encode(encoder(codec, 160, 120), frames)))
    await watcher.until(lambda: len(watcher.frames) == 10)
    assert [frame.rtp_timestamp for frame in watcher.frames] == [3000 * n for n in range(10)]
    for given, got in zip(frames, watcher.frames, strict=True):
        assert got.publication_id == "pub"
        assert got.rgb.shape == (120, 160, 3)
        # Green is nearly luma here (chroma is constant): the picture is that one, not its neighbor.
        luma = np.frombuffer(bytes(given.planes[0]), np.uint8).reshape(120, -1)[:, :160].astype(float)
        assert np.corrcoef(luma.ravel(), got.rgb[..., 1].ravel().astype(float))[0, 1] > 0.9


async def test_only_one_frame_an_interval_is_converted(
    make_tap: Callable[..., Tap], watcher: Watcher
) -> None:
    tap = make_tap("VP8", interval_s=0.5)
    feed(tap, "VP8", packets("VP8", encode(encoder("VP8", 64, 48), moving_frames(31, 64, 48)))[:30])
    await watcher.until(lambda: len(watcher.frames) == 2)
    assert [frame.rtp_timestamp for frame in watcher.frames] == [0, 15 * 3000]


async def test_of_layered_vp8_the_base_is_decoded(make_tap: Callable[..., Tap], watcher: Watcher) -> None:
    pictures = encode(encoder("VP8", 160, 120, layers=True), moving_frames(20))
    feed(make_tap("VP8"), "VP8", packets("VP8", pictures, layers=L1T3))
    await watcher.until(lambda: len(watcher.frames) == 5)
    assert [frame.rtp_timestamp // 3000 for frame in watcher.frames] == [0, 4, 8, 12, 16]


async def test_after_a_loss_it_asks_for_a_keyframe_and_goes_on_there(
    make_tap: Callable[..., Tap], watcher: Watcher
) -> None:
    made = packets("VP8", encode(encoder("VP8", 160, 120), moving_frames(40), keyframes=(0, 30)))
    tap = make_tap("VP8")
    feed(tap, "VP8", made[:3])
    feed(tap, "VP8", [made[3][1:]], 3)
    feed(tap, "VP8", made[4:25], 4)
    assert watcher.keyframes_asked >= 1
    feed(tap, "VP8", made[25:], 25)
    await watcher.until(lambda: watcher.frames[-1:] != [] and watcher.frames[-1].rtp_timestamp == 39 * 3000)
    shown = [frame.rtp_timestamp // 3000 for frame in watcher.frames]
    assert shown == [0, 1, 2, *range(30, 40)]


async def test_a_keyframe_is_asked_for_again_while_it_is_wanted(
    make_tap: Callable[..., Tap], watcher: Watcher
) -> None:
    made = packets("VP8", encode(encoder("VP8", 64, 48), moving_frames(61, 64, 48)))
    feed(make_tap("VP8"), "VP8", made[1:], 1)
    assert watcher.keyframes_asked == 4  # two seconds, twice a second


async def test_garbage_behind_a_good_descriptor_is_survived(
    make_tap: Callable[..., Tap], watcher: Watcher
) -> None:
    pictures = encode(encoder("VP8", 64, 48), moving_frames(6, 64, 48), keyframes=(0, 5))
    pictures[1] = b"\x00\x00\x00\x9d\x01\x2a" + b"\xff" * 40  # a keyframe of 16383 x 16383, it says
    pictures[2] = b"\x01"
    tap = make_tap("VP8")
    made = packets("VP8", pictures)
    feed(tap, "VP8", made[:3])
    tap.feed("VP8", b"\x80nonsense", 0.2)
    assert tap.ignored_packets == 1
    await watcher.until(lambda: len(watcher.frames) == 1)
    feed(tap, "VP8", made[5:], 20)
    for packet in made[5]:
        tap.feed("VP8", packet, 1.0)
    await watcher.until(lambda: bool(watcher.frames) and watcher.frames[-1].rtp_timestamp == 5 * 3000)


async def test_another_codec_midway_is_followed(make_tap: Callable[..., Tap], watcher: Watcher) -> None:
    tap = make_tap("VP8")
    feed(tap, "VP8", packets("VP8", encode(encoder("VP8", 64, 48), moving_frames(2, 64, 48))))
    feed(tap, "H264", packets("H264", encode(encoder("H264", 96, 64), moving_frames(2, 96, 64))), 2)
    await watcher.until(lambda: len(watcher.frames) == 4)
    assert [frame.rgb.shape for frame in watcher.frames] == [(48, 64, 3)] * 2 + [(64, 96, 3)] * 2


async def test_a_codec_that_cannot_be_looked_into_is_counted(make_tap: Callable[..., Tap]) -> None:
    tap = make_tap("H265")
    tap.feed("H265", b"\x80" * 20, 0.0)
    assert tap.ignored_packets == 1
    assert tap.best(0.0) is None


async def test_stretched_chroma_is_never_handed_over(make_tap: Callable[..., Tap], watcher: Watcher) -> None:
    plain = flat_frame(120, 108, 155)
    codes = [int(forward_table(c, SKIN.softness)[x]) for c, x in ((SKIN.center_u, 108), (SKIN.center_v, 155))]
    stretched = flat_frame(120, *codes)
    tap = make_tap("VP8", 0.0, SKIN)
    feed(tap, "VP8", packets("VP8", encode(encoder("VP8", 64, 48), [stretched])))
    await watcher.until(lambda: len(watcher.frames) == 1)
    difference = watcher.frames[0].rgb.astype(int) - to_rgb(plain)
    assert np.abs(difference).max() <= 2


async def test_best_is_the_sharpest_of_two_seconds(make_tap: Callable[..., Tap], watcher: Watcher) -> None:
    frames = [flat_frame(120, 128, 128), *moving_frames(1, 64, 48), flat_frame(121, 128, 128)]
    made = packets("VP8", encode(encoder("VP8", 64, 48), frames))
    tap = make_tap("VP8")
    for parts, arrived_s in zip(made, (0.0, 1.0, 2.5), strict=True):
        for packet in parts:
            tap.feed("VP8", packet, arrived_s)
    await watcher.until(lambda: len(watcher.frames) == 3)
    best = tap.best(2.5)
    assert best is not None
    assert best.rtp_timestamp == 3000
    later = tap.best(3.5)
    assert later is not None
    assert later.rtp_timestamp == 6000
    assert tap.best(9.0) is None


async def test_nothing_is_delivered_after_close(make_tap: Callable[..., Tap], watcher: Watcher) -> None:
    tap = make_tap("VP8")
    made = packets("VP8", encode(encoder("VP8", 64, 48), moving_frames(4, 64, 48)))
    feed(tap, "VP8", made[:2])
    await watcher.until(lambda: len(watcher.frames) == 2)
    tap.close()
    feed(tap, "VP8", made[2:], 2)
    assert tap.best(0.1) is None
    assert len(watcher.frames) == 2


class TestPictureQueue:
    def picture(self, number: int, keyframe: bool = False) -> CodedPicture:
        return CodedPicture("VP8", (b"",), keyframe, number, 0.0)

    def drain(self, queue: PictureQueue, count: int) -> list[int]:
        return [picture.rtp_timestamp for _ in range(count) if (picture := queue.get()) is not None]

    def test_full_it_drops_the_oldest_down_to_a_keyframe(self) -> None:
        queue = PictureQueue(4)
        for number, keyframe in enumerate((True, False, True, False, False)):
            assert queue.put(self.picture(number, keyframe))
        assert self.drain(queue, 3) == [2, 3, 4]

    def test_full_without_a_later_keyframe_it_asks_for_one(self) -> None:
        queue = PictureQueue(2)
        assert queue.put(self.picture(0, keyframe=True))
        assert queue.put(self.picture(1))
        assert not queue.put(self.picture(2))
        assert queue.put(self.picture(3, keyframe=True))
        assert self.drain(queue, 1) == [3]

    def test_closed_it_holds_nobody(self) -> None:
        queue = PictureQueue(2)
        queue.put(self.picture(0))
        queue.close()
        assert queue.get() is None


def test_sharpness_falls_with_blur() -> None:
    sharp = moving_frames(1)[0]
    luma = np.frombuffer(bytes(sharp.planes[0]), np.uint8).reshape(120, -1)[:, :160]
    soft = ((luma[:, :-1].astype(int) + luma[:, 1:]) // 2).astype(np.uint8)
    soft = np.hstack([soft, soft[:, -1:]])
    chroma = np.full((60, 80), 128, np.uint8)
    assert sharpness(yuv_frame([soft, chroma, chroma])) < sharpness(sharp) / 1.5
