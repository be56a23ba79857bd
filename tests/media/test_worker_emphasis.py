"""Chroma emphasis at the relay: announced with a Publication, fixed for its life, refused where unknown."""

from __future__ import annotations

import pytest

from media.emphasis import SKIN
from media.interface import ChromaEmphasis, EmphasisRefused, PublicationAdded, PublicationEnded, Source
from tests.media.raw_peer import raw_peers
from tests.media.rtc_peer import Events, relay
from tests.media.test_worker import KEYFRAME, VIDEO_SSRC, video

pytestmark = pytest.mark.usefixtures("packet_path")


async def test_emphasis_holds_for_the_life_of_a_publication() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        events = Events(worker)
        mid = publisher.publish(Source.CAMERA, VIDEO_SSRC)
        publisher.emphasis = {mid: SKIN}
        (info,) = (await publisher.negotiate()).publications
        assert info.emphasis == SKIN
        viewer.subscribe(info.publication_id)
        await viewer.negotiate()
        await publisher.connect()
        await viewer.connect()
        publisher.send_rtp(video(1, KEYFRAME))
        await viewer.next_rtp()
        assert worker.publications("r") == (info,)
        assert (await publisher.negotiate()).publications == (info,)
        forwarded = worker.stats().packets_sent

        publisher.emphasis = {}
        (plain,) = (await publisher.negotiate()).publications
        assert plain.publication_id != info.publication_id
        assert plain.emphasis is None
        await events.until(PublicationEnded(info))
        # Nothing of the new one reaches who subscribed to the old one.
        publisher.send_rtp(video(2, KEYFRAME))
        await events.until(PublicationAdded(plain))
        assert worker.stats().packets_sent == forwarded


@pytest.mark.parametrize(
    ("source", "emphasis"),
    [
        (Source.CAMERA, ChromaEmphasis(9, 115, 142, 8)),
        (Source.CAMERA, ChromaEmphasis(1, 115, 142, 0)),
        (Source.MICROPHONE, SKIN),
    ],
)
async def test_emphasis_that_cannot_be_undone_is_refused(source: Source, emphasis: ChromaEmphasis) -> None:
    async with relay() as worker, raw_peers(worker, "a") as (peer,):
        peer.emphasis = {peer.publish(source): emphasis}
        with pytest.raises(EmphasisRefused):
            await peer.negotiate()
        assert worker.stats().transports == 0
