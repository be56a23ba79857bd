"""Watching a camera that comes in several sizes: the largest that there is, and never two mixed."""

from __future__ import annotations

import asyncio

from media.interface import TappedFrame
from media.publication import SILENT_AFTER_S, Publication
from media.watch import Watch
from tests.media import coded, streams
from tests.media.coded import encode, encoder, moving_frames

SIZES = ((64, 48), (160, 120), (320, 240))


def coded_packets(index: int, count: int) -> list[list[bytes]]:
    """Real pictures of one of the sizes, in packets of its encoding."""
    width, height = SIZES[index]
    pictures = encode(encoder("VP8", width, height), moving_frames(count, width, height), keyframes=(0, 4))
    ssrc = streams.LAYER_SSRCS[index].to_bytes(4, "big")
    made = coded.packets("VP8", pictures)
    return [[packet[:8] + ssrc + packet[12:] for packet in packets] for packets in made]


async def test_the_largest_size_is_watched_and_another_one_from_its_keyframe_on() -> None:
    source: Publication = streams.simulcast()
    frames: asyncio.Queue[TappedFrame] = asyncio.Queue()
    watch = Watch(source, 0.0, asyncio.get_running_loop(), lambda: None, 0.0)
    end = watch.add(frames.put_nowait)
    asked = source.largest.keyframes.wanted
    pictures = [coded_packets(index, 8) for index in range(3)]

    def send(now: float, picture: int, *indices: int) -> None:
        for index in indices:
            for data in pictures[index][picture]:
                taken = source.encodings[index].receive(data, now)
                assert taken is not None
                watch.feed(taken, now)
        source.refresh(now)

    async def shown() -> list[int]:
        frame = await asyncio.wait_for(frames.get(), 20)
        return list(frame.rgb.shape[1::-1])

    for picture in range(3):
        send(1.0 + picture / 30, picture, 0, 1, 2)
        assert await shown() == [320, 240]
    # The largest falls silent: the next one begins at its keyframe, picture 4, and not before.
    later = 1.2 + SILENT_AFTER_S
    source.encodings[1].heard_at_s = later
    assert source.refresh(later)
    send(later, 3, 0, 1)
    for picture in (4, 5):
        send(later + picture / 30, picture, 0, 1)
        assert await shown() == [160, 120]
    assert asked
    assert frames.empty()
    end()
    watch.close()
