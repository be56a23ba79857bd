"""The relay between aiortc's own clients: an independent WebRTC implementation over real UDP."""

from __future__ import annotations

import pytest
from aiortc import AudioStreamTrack, MediaStreamTrack, RTCRtpSender, VideoStreamTrack
from av import AudioFrame, VideoFrame

from media.interface import MediaConfig, PublicationInfo, Source
from tests.media.rtc_peer import Events, Peer, relay

pytestmark = pytest.mark.usefixtures("packet_path")


async def frames(track: MediaStreamTrack, count: int) -> AudioFrame | VideoFrame:
    """The last of so many received frames."""
    for _ in range(count):
        frame = await track.recv()
    assert isinstance(frame, AudioFrame | VideoFrame)
    return frame


def prefer(peer: Peer, codec: str) -> None:
    """Offer only this video codec, and RTX."""
    codecs = RTCRtpSender.getCapabilities("video").codecs
    wanted = [c for c in codecs if c.mimeType in (f"video/{codec}", "video/rtx")]
    for transceiver in peer.pc.getTransceivers():
        if transceiver.kind == "video":
            transceiver.setCodecPreferences(wanted)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_audio_and_video_pass(codec: str) -> None:
    async with relay() as worker:
        publisher, viewer = Peer(worker, "r", "a"), Peer(worker, "r", "b")
        publisher.publish(AudioStreamTrack(), Source.MICROPHONE)
        publisher.publish(VideoStreamTrack(), Source.CAMERA)
        prefer(publisher, codec)
        audio, video = (await publisher.negotiate()).publications
        assert (audio.codec, video.codec) == ("opus", codec)
        viewer.subscribe(audio)
        viewer.subscribe(video)
        await viewer.negotiate()
        assert isinstance(await frames(await viewer.track("audio"), 10), AudioFrame)
        picture = await frames(await viewer.track("video"), 10)
        assert isinstance(picture, VideoFrame)
        assert (picture.width, picture.height) == (640, 480)
        await publisher.close()
        await viewer.close()


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_two_clients_see_and_hear_each_other(codec: str) -> None:
    async with relay() as worker:
        peers = [Peer(worker, "r", name) for name in ("a", "b")]
        published = []
        for peer in peers:
            peer.publish(AudioStreamTrack(), Source.MICROPHONE)
            peer.publish(VideoStreamTrack(), Source.CAMERA)
            prefer(peer, codec)
            published.append((await peer.negotiate()).publications)
        for peer, seen in zip(peers, reversed(published), strict=True):
            for publication in seen:
                peer.subscribe(publication)
            again = (await peer.negotiate()).publications
            assert again == published[peers.index(peer)]
        for peer in peers:
            assert isinstance(await frames(await peer.track("audio"), 10), AudioFrame)
            assert isinstance(await frames(await peer.track("video"), 10), VideoFrame)
        assert {info.codec for info in worker.publications("r")} == {"opus", codec}
        for peer in peers:
            await peer.close()


async def test_both_ways_and_a_subscription_added_later() -> None:
    async with relay() as worker:
        events = Events(worker)
        one, other = Peer(worker, "r", "a"), Peer(worker, "r", "b")
        published: list[PublicationInfo] = []
        for peer in (one, other):
            peer.publish(AudioStreamTrack(), Source.MICROPHONE)
            published += (await peer.negotiate()).publications
        for peer, heard in ((one, published[1]), (other, published[0])):
            peer.subscribe(heard)
            again = await peer.negotiate()
            assert again.publications[0] in published
        for peer in (one, other):
            await frames(await peer.track("audio"), 5)
        assert {info.participant_id for info in worker.publications("r")} == {"a", "b"}
        assert len(events.seen) >= 6
        await one.close()
        await other.close()


async def test_a_dual_stack_port_serves_ipv4() -> None:
    async with relay(MediaConfig(announced_addresses=("127.0.0.1",))) as worker:
        publisher, viewer = Peer(worker, "r", "a"), Peer(worker, "r", "b")
        publisher.publish(AudioStreamTrack(), Source.MICROPHONE)
        (audio,) = (await publisher.negotiate()).publications
        viewer.subscribe(audio)
        await viewer.negotiate()
        await frames(await viewer.track("audio"), 5)
        await publisher.close()
        await viewer.close()
