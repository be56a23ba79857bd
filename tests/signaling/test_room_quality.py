"""What viewers are told of the live picture, and when."""

from __future__ import annotations

from media import rtcp
from media.interface import Fidelity, FidelityReason, Purpose
from media.worker import MediaWorker
from signaling.messages import FidelityView
from signaling.room_quality import fidelity_view
from tests.media.raw_peer import RawPeer
from tests.media.test_worker import KEYFRAME, connected_pair, video
from tests.signaling.clinic import Clinic, participant_of

MEASURED = {"bitrate_bps", "frame_rate", "freeze_count", "frozen_s"}
"""What depends on how fast a test runs."""


def test_contrast_is_told_in_steps() -> None:
    for kept, told in ((0.874, 0.85), (0.876, 0.9), (0.02, 0.0), (None, None)):
        fidelity = Fidelity(Purpose.CONVERSATION, (FidelityReason.COARSE,), kept)
        assert fidelity_view("p", fidelity) == FidelityView("p", "conversation", ["coarse"], told)


async def test_a_publisher_is_told_what_its_viewers_can_take(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist, patient = await consulted.in_call()
    view = await specialist.state(lambda view: participant_of(view, "patient")["admission"] == "admitted")
    ids = [participant_of(view, role)["participant_id"] for role in ("patient", "specialist")]
    worker = clinic.server.relay
    assert isinstance(worker, MediaWorker)
    publisher, viewer = (RawPeer(worker, one, consulted.consultation_id) for one in ids)
    publication_id = await connected_pair(publisher, viewer)
    publisher.send_rtp(video(0, KEYFRAME))
    ssrc = int.from_bytes((await viewer.next_rtp())[8:12], "big")
    block = rtcp.ReportBlock(ssrc, 0, 0, 1, 0, 0, 0)
    viewer.send_rtcp(rtcp.receiver_report(1, (block,)) + rtcp.remb(1, 500_000, [ssrc]))
    told = await patient.until("budget", lambda budget: budget["bitrate_bps"] == 500_000)
    assert told == {"publication_id": publication_id, "bitrate_bps": 500_000, "max_framerate": 30.0}
    await publisher.close()
    await viewer.close()


async def test_statistics_say_who_sends_and_how_each_viewer_fares(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist, _ = await consulted.in_call()
    view = await specialist.state(lambda view: participant_of(view, "patient")["admission"] == "admitted")
    patient_id, viewer_id = (
        participant_of(view, role)["participant_id"] for role in ("patient", "specialist")
    )
    worker = clinic.server.relay
    assert isinstance(worker, MediaWorker)
    publisher, viewer = (RawPeer(worker, one, consulted.consultation_id) for one in (patient_id, viewer_id))
    publication_id = await connected_pair(publisher, viewer)
    publisher.send_rtp(video(0, KEYFRAME))
    ssrc = int.from_bytes((await viewer.next_rtp())[8:12], "big")
    viewer.send_rtcp(rtcp.receiver_report(1, (rtcp.ReportBlock(ssrc, 64, 3, 1, 450, 0, 0),)))
    await viewer.handled()
    await specialist.state(lambda view: view["publications"])
    told = await specialist.call("statistics")
    [sent] = told["publications"]
    assert (sent["publication_id"], sent["participant_id"]) == (publication_id, patient_id)
    assert (sent["source"], sent["codec"], sent["packets_received"]) == ("camera", "VP8", 1)
    [received] = told["subscriptions"]
    received = {name: value for name, value in received.items() if name not in MEASURED}
    assert received == {
        "participant_id": viewer_id,
        "publication_id": publication_id,
        "width_px": 320,
        "height_px": 240,
        "spatial": 0,
        "encodings": 1,
        "max_temporal": None,
        "paused": False,
        "loss": 0.25,
        "packets_lost": 3,
        "jitter_ms": 5.0,
    }
    metrics = (await clinic.browser().get("/metrics")).body.decode()
    assert "truehue_media_viewer_packets_lost 3.0" in metrics
    assert {path["participant_id"] for path in told["paths"]} == {patient_id, viewer_id}
    await publisher.close()
    await viewer.close()


async def test_only_staff_inside_read_statistics(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist, patient = await consulted.in_call()
    assert await specialist.call("statistics") == {"publications": [], "subscriptions": [], "paths": []}
    assert (await patient.call("statistics"))["error"]["id"] == "access.denied"
