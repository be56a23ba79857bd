"""The worker over real UDP: a camera in three sizes, and what one viewer is given of it."""

from __future__ import annotations

import pytest

from media.interface import Source, UnknownPublication
from media.layers import EVERYTHING, LayerTarget
from media.rtp import extension_block, header, payload_bounds
from tests.media.raw_peer import RawPeer, raw_peers
from tests.media.rtc_peer import relay
from tests.media.test_worker import INTERFRAME, KEYFRAME, connected_pair, video

pytestmark = pytest.mark.usefixtures("packet_path")

RIDS = """
a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
a=rid:q send
a=rid:h send
a=rid:f send
a=simulcast:send q;h;f"""


def sized(rid: str, sequence: int, *, key: bool = False, named: bool = True) -> bytes:
    """A frame of one of the sizes; named: with its mid and rid."""
    values = [(4, b"0"), (10, rid.encode())] if named else []
    payload = (KEYFRAME if key else INTERFRAME) + rid.encode()
    return header(96, sequence, 3000 * sequence, 1000 + ord(rid), True, extension_block(values)) + payload


async def sizes(viewer: RawPeer, count: int) -> tuple[str, list[int]]:
    """Which encodings the next packets are of, and their numbers."""
    names, numbers = "", []
    for _ in range(count):
        packet = await viewer.next_rtp()
        _, end = payload_bounds(packet)
        names += chr(packet[end - 1])
        numbers.append(int.from_bytes(packet[2:4], "big"))
    return names, numbers


async def test_a_viewer_changes_between_three_sizes_that_no_offer_names() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        publisher.publish(Source.CAMERA)
        publisher.lines[-1] += RIDS
        (info,) = (await publisher.negotiate()).publications
        viewer.subscribe(info.publication_id)
        await viewer.negotiate()
        await publisher.connect()
        await viewer.connect()
        for rid in "qhf":
            publisher.send_rtp(sized(rid, 1, key=True))
        for rid in "qhf":
            publisher.send_rtp(sized(rid, 2, named=False))
        names, numbers = await sizes(viewer, 3)
        assert names == "qff"
        worker.set_layer("r", "b", info.publication_id, LayerTarget(1, None, paused=False))
        publisher.send_rtp(sized("h", 3, key=True, named=False))
        await publisher.handled()  # until the change the old size goes on
        for rid in "qf":
            publisher.send_rtp(sized(rid, 3, named=False))
        for rid in "qhf":
            publisher.send_rtp(sized(rid, 4, named=False))
        await publisher.handled()
        more, following = await sizes(viewer, 2)
        assert more == "hh"
        numbers += following
        assert numbers == [(numbers[0] + n) & 0xFFFF for n in range(5)]
        stats = worker.publication_stats(info.publication_id)
        assert stats is not None
        assert [(each.rid, each.packets_received) for each in stats.encodings] == [
            ("q", 4),
            ("h", 4),
            ("f", 4),
        ]


async def test_a_viewer_can_be_paused_and_go_on() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        video_id = await connected_pair(publisher, viewer)
        publisher.send_rtp(video(1, KEYFRAME))
        await viewer.next_rtp()
        worker.set_layer("r", "b", video_id, LayerTarget(0, None, paused=True))
        publisher.send_rtp(video(2, KEYFRAME))
        await publisher.handled()
        worker.set_layer("r", "b", video_id, EVERYTHING)
        publisher.send_rtp(video(3))
        publisher.send_rtp(video(4, KEYFRAME + b" again"))
        assert (await viewer.next_rtp()).endswith(b"again")
        for participant, publication in (("b", "unknown"), ("a", video_id), ("nobody", video_id)):
            with pytest.raises(UnknownPublication):
                worker.set_layer("r", participant, publication, EVERYTHING)
