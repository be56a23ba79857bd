"""The worker over real UDP: how participants and Publications end, and what silence means."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import NoReturn

import pytest

import media.worker
from media.interface import (
    MediaConfig,
    MediaEvent,
    PublicationEnded,
    Source,
    TransportChanged,
    TransportState,
    UnknownPublication,
)
from tests.media.raw_peer import raw_peers
from tests.media.rtc_peer import Events, relay
from tests.media.test_worker import (
    KEYFRAME,
    RTX_SSRC,
    VIDEO_SSRC,
    connected_pair,
    payload_of,
    video,
)

pytestmark = pytest.mark.usefixtures("packet_path")


async def test_leaving_ends_publications_and_tells() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        events = Events(worker)
        await connected_pair(publisher, viewer)
        publisher.send_rtp(video(1, KEYFRAME))
        await viewer.next_rtp()
        (info,) = worker.publications("r")
        await worker.leave("r", "a")
        await worker.leave("r", "nobody")
        assert worker.publications("r") == ()
        assert worker.publication_stats(info.publication_id) is None
        await events.until(PublicationEnded(info), TransportChanged("r", "a", TransportState.CLOSED))
        with pytest.raises(UnknownPublication):
            await viewer.negotiate()
        await worker.close_room("r")
        assert worker.stats().transports == 0


@pytest.mark.parametrize("name", ["a", "b"])
async def test_who_has_left_is_forgotten_without_the_garbage_collector(name: str) -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        await connected_pair(publisher, viewer)
        publisher.send_rtp(video(1, KEYFRAME))
        await viewer.next_rtp()
        participant = worker._rooms.participants["r", name]
        parts = (participant, participant.transport, participant.viewer, participant.path)
        kept = [weakref.ref(part) for part in parts]
        del participant, parts
        gc.collect()
        gc.disable()
        try:
            await worker.leave("r", name)
            while worker._closing:
                await asyncio.gather(*worker._closing)
            assert [part() for part in kept] == [None] * len(kept)
        finally:
            gc.enable()


async def test_a_goodbye_by_dtls_ends_the_transport() -> None:
    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        events = Events(worker)
        await connected_pair(publisher, viewer)
        await publisher.dtls.close()
        await events.until(TransportChanged("r", "a", TransportState.CLOSED))


async def test_silence_is_told_and_ends_with_a_sign_of_life() -> None:
    async with (
        relay(MediaConfig(bind_host="127.0.0.1", silent_after_s=0.2)) as worker,
        raw_peers(worker, "a") as (publisher,),
    ):
        events = Events(worker)
        publisher.publish(Source.CAMERA, VIDEO_SSRC, RTX_SSRC)
        await publisher.negotiate()
        await publisher.connect()
        await events.until(TransportChanged("r", "a", TransportState.SILENT))
        events.seen.clear()
        await publisher.check()
        await events.until(TransportChanged("r", "a", TransportState.CONNECTED))


async def test_what_never_connects_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media.worker, "ABANDONED_AFTER_S", 0.05)
    async with relay() as worker, raw_peers(worker, "a") as (peer,):
        events = Events(worker)
        peer.publish(Source.CAMERA)
        await peer.negotiate()
        await events.until(TransportChanged("r", "a", TransportState.CLOSED))
        assert worker.stats().transports == 0


async def test_a_listener_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def fail(event: MediaEvent) -> NoReturn:
        raise ValueError(type(event).__name__)

    async with relay() as worker, raw_peers(worker, "a", "b") as (publisher, viewer):
        worker.subscribe_events(fail)
        await connected_pair(publisher, viewer)
        publisher.send_rtp(video(1, KEYFRAME))
        assert payload_of(await viewer.next_rtp()) == KEYFRAME
    assert "a listener failed at PublicationAdded" in caplog.text
