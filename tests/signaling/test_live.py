"""Live consultations over Socket.IO: who gets in, who sees what, captures, and input that is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
import socketio

from media.interface import ChromaEmphasis, Kind, PublicationInfo, Source
from records.interface import SYSTEM_ACTOR
from signaling.capture import FRAME_WAIT
from signaling.compose import utc_now
from signaling.live import MAX_MESSAGE_BYTES
from tests.signaling.clinic import TIMEOUT_S, Clinic, Consulted, Seat, participant_of, still, upload


async def refusal(clinic: Clinic, auth: Any, namespace: str = "/consultation", **more: Any) -> Any:
    """The data of a refused connection."""
    client = socketio.AsyncClient(reconnection=False)
    refused: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def on_error(data: Any) -> None:
        refused.set_result(data)

    client.on("connect_error", on_error, namespace=namespace)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(clinic.url, auth=auth, namespaces=[namespace], transports=["websocket"], **more)
    return (await refused)["data"]["error"]["id"]


async def test_who_may_connect(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    auth = {"consultation_id": consulted.consultation_id}
    assert await refusal(clinic, {"token": "x" * 40}) == "access.link_invalid"
    assert await refusal(clinic, auth) == "access.sign_in"
    assert await refusal(clinic, None) == "request.malformed"
    assert await refusal(clinic, {"token": consulted.token, "extra": 1}) == "request.malformed"
    assert await refusal(clinic, ["x"]) == "request.malformed"
    assert await refusal(clinic, {}, "/worklist") == "access.sign_in"
    for staff in (clinic.other_specialist, clinic.other_referrer):
        cookie = {"Cookie": (await clinic.signed_in(staff)).cookie}
        assert await refusal(clinic, auth, headers=cookie) == "access.denied"
    unknown = {"consultation_id": "nothing"}
    cookie = {"Cookie": consulted.specialist.cookie}
    assert await refusal(clinic, unknown, headers=cookie) == "record.not_found"


async def test_another_sites_page_cannot_connect(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    async with aiohttp.ClientSession() as http:
        client = socketio.AsyncClient(reconnection=False, http_session=http)
        with pytest.raises(socketio.exceptions.ConnectionError):
            await client.connect(
                clinic.url,
                auth={"consultation_id": consulted.consultation_id},
                namespaces=["/consultation"],
                transports=["websocket"],
                headers={"Origin": "https://evil.example", "Cookie": consulted.specialist.cookie},
            )


async def test_consent_comes_before_knocking(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    patient = await consulted.patient_seat()
    assert error_of(await patient.call("knock")) == "consent.needed"
    await consulted.consent()
    await patient.state(lambda view: view["consent_given"])
    assert await patient.call("knock") == {"ok": True}
    waiting = await patient.state(lambda view: view["you"]["admission"] == "waiting")
    assert waiting["position"] == 1
    assert waiting["estimated_wait_s"] is not None


async def test_whoever_waits_sees_only_themselves_and_reaches_nothing(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    await consulted.consent()
    patient = await consulted.patient_seat()
    await patient.call("knock")
    specialist = await consulted.specialist_seat()
    await specialist.call("chat", {"text": "secret"})
    view = await patient.state(lambda view: view["you"]["admission"] == "waiting")
    before = await standing(clinic, consulted)
    assert [one["participant_id"] for one in view["participants"]] == [view["you"]["participant_id"]]
    assert (view["publications"], view["capture"], view["calibration"]) == ([], None, None)
    negotiate = {"sdp": "v=0", "publications": {}, "subscriptions": {}}
    own = {"participant_id": view["you"]["participant_id"]}
    for event, data in (
        ("negotiate", negotiate),
        ("chat", {"text": "hello"}),
        ("mute", {"publication_id": "x", "muted": True}),
        ("camera_changed", {"publication_id": "x"}),
        ("admit", own),
        ("refuse", {**own, "words": "x"}),
        ("send_back", own),
        ("end", {}),
        ("statistics", {}),
        ("capture", own),
        ("capture_progress", {"capture_id": "x", "state": "taking"}),
        ("capture_failed", {"capture_id": "x", "reason": "refused"}),
    ):
        assert error_of(await patient.call(event, data)) == "access.denied", event
    assert patient.named("chat") == []
    assert await standing(clinic, consulted) == before


async def test_sent_back_refused_and_ended(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist, patient = await consulted.in_call()
    participant_id = (await patient.state())["you"]["participant_id"]
    await specialist.call("send_back", {"participant_id": participant_id, "words": "one moment"})
    back = await patient.state(lambda view: view["you"]["admission"] == "sent_back")
    assert (back["words"], back["position"]) == ("one moment", 1)
    negotiate = {"sdp": "v=0", "publications": {}, "subscriptions": {}}
    assert error_of(await patient.call("negotiate", negotiate)) == "access.denied"
    await specialist.call("admit", {"participant_id": participant_id})
    await patient.state(lambda view: view["you"]["admission"] == "admitted" and view["words"] is None)
    await specialist.call("refuse", {"participant_id": participant_id, "words": "please come in person"})
    refused = await patient.state(lambda view: view["you"]["admission"] == "refused")
    assert refused["words"] == "please come in person"
    assert error_of(await patient.call("knock")) == "admission.refused"
    assert await specialist.call("end") == {"ok": True}
    for seat in (specialist, patient):
        assert (await seat.until("ended"))["consultation_id"] == consulted.consultation_id
        await seat.state(lambda view: view["phase"] == "ended")
    assert error_of(await specialist.call("chat", {"text": "x"})) == "consultation.ended"
    assert error_of(await patient.call("knock")) == "consultation.ended"


async def test_commands_about_nobody(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist = await consulted.specialist_seat()
    unknown = {"participant_id": "nobody"}
    assert error_of(await specialist.call("admit", unknown)) == "admission.unknown_participant"
    assert error_of(await specialist.call("capture", unknown)) == "admission.unknown_participant"
    invited = participant_of(await specialist.state(), "patient")
    waiting = {"participant_id": invited["participant_id"]}
    assert error_of(await specialist.call("admit", waiting)) == "admission.not_waiting"
    assert error_of(await specialist.call("capture", waiting)) == "admission.not_admitted"
    own = {"participant_id": (await specialist.state())["you"]["participant_id"]}
    assert error_of(await specialist.call("send_back", own)) == "access.denied"


async def test_leaving_and_coming_back(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist, patient = await consulted.in_call()
    assert await patient.call("leave") == {"ok": True}
    await specialist.state(lambda view: participant_of(view, "patient")["admission"] == "left")
    assert error_of(await patient.call("chat", {"text": "x"})) == "access.denied"
    assert await patient.call("knock") == {"ok": True}
    await specialist.state(lambda view: participant_of(view, "patient")["admission"] == "waiting")
    assert await specialist.call("leave") == {"ok": True}
    assert await specialist.call("knock") == {"ok": True}
    await specialist.state(lambda view: view["you"]["admission"] == "admitted")


async def test_the_newer_connection_wins(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist, patient = await consulted.in_call()
    newer = await consulted.patient_seat()
    assert error_of(await patient.until("replaced")) == "consultation.replaced"
    await asyncio.wait_for(patient.gone.wait(), 10)
    await newer.state(lambda view: view["you"]["admission"] == "admitted")
    view = await specialist.state()
    assert participant_of(view, "patient")["present"] is True


async def test_the_referring_site_knocks_and_chats(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist, patient = await consulted.in_call()
    referrer = await consulted.referrer_seat()
    assert await referrer.call("knock") == {"ok": True}
    view = await specialist.state(lambda view: any(is_waiting_referrer(one) for one in view["participants"]))
    who = next(one for one in view["participants"] if is_waiting_referrer(one))
    await specialist.call("admit", {"participant_id": who["participant_id"]})
    await referrer.state(lambda view: len(view["participants"]) == 3)
    await referrer.call("chat", {"text": "你好 <b>"})
    for seat in (specialist, patient, referrer):
        line = await seat.until("chat")
        assert (line["text"], line["role"], line["name"]) == ("你好 <b>", "referrer", "Dr. Referrer 0")
    detail = (await consulted.specialist.get(f"/api/consultations/{consulted.consultation_id}")).json
    assert [one["text"] for one in detail["chat"]] == ["你好 <b>"]


async def test_a_participant_gets_the_chat_of_their_own_stay(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    await consulted.consent()
    specialist, patient = await consulted.specialist_seat(), await consulted.patient_seat()
    await specialist.call("chat", {"text": "before anybody came"})
    assert error_of(await patient.call("chat_history")) == "access.denied"
    await patient.call("knock")
    waiting = await specialist.state(lambda view: participant_of(view, "patient")["admission"] == "waiting")
    who = {"participant_id": participant_of(waiting, "patient")["participant_id"]}
    assert error_of(await patient.call("chat_history")) == "access.denied"
    await specialist.call("admit", who)
    assert await patient.call("chat_history") == {"lines": []}
    await specialist.call("chat", {"text": "good morning"})
    await patient.close()
    await specialist.state(lambda view: not participant_of(view, "patient")["present"])
    await specialist.call("chat", {"text": "are you there?"})
    # A reload: the same link, a new page.
    patient = await consulted.patient_seat()
    lines = (await patient.call("chat_history"))["lines"]
    assert [line["text"] for line in lines] == ["good morning", "are you there?"]
    assert lines[0]["name"] == "Dr. Specialist 0"
    await specialist.call("send_back", who)
    await specialist.call("chat", {"text": "without the patient"})
    assert error_of(await patient.call("chat_history")) == "access.denied"
    await specialist.call("admit", who)
    assert (await patient.call("chat_history"))["lines"] == lines
    await specialist.call("end")
    assert error_of(await patient.call("chat_history")) == "consultation.ended"


async def test_the_referring_site_reads_drafts_and_chat_only_afterwards(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist, _ = await consulted.in_call()
    path = f"/api/consultations/{consulted.consultation_id}"
    timeline = f"/api/patients/{consulted.referral['patient']['patient_id']}/timeline"
    note = await consulted.specialist.ask("PUT", f"{path}/note", {"text": "a draft", "version": 0})
    assert note.status == 200
    await specialist.call("chat", {"text": "before the referrer"})

    async def read() -> tuple[list[str], str, str]:
        detail = (await consulted.referrer.get(path)).json
        [known] = (await consulted.referrer.get(timeline)).json["consultations"]
        return [line["text"] for line in detail["chat"]], detail["note"]["text"], known["note"]

    assert await read() == ([], "", "")
    referrer = await consulted.referrer_seat()
    await referrer.call("knock")
    view = await specialist.state(lambda view: any(is_waiting_referrer(one) for one in view["participants"]))
    [who] = [one["participant_id"] for one in view["participants"] if is_waiting_referrer(one)]
    await specialist.call("admit", {"participant_id": who})
    await specialist.call("chat", {"text": "with the referrer"})
    assert await read() == (["with the referrer"], "", "")
    await specialist.call("end")
    assert await read() == (["before the referrer", "with the referrer"], "a draft", "a draft")


def is_waiting_referrer(one: Any) -> bool:
    return bool(one["role"] == "referrer" and one["admission"] == "waiting")


async def test_positions_across_consultations(clinic: Clinic) -> None:
    first, second = await clinic.consultation(), await clinic.consultation()
    seats = []
    for consulted in (first, second):
        await consulted.consent()
        seat = await consulted.patient_seat()
        await seat.call("knock")
        seats.append(seat)
    await seats[0].state(lambda view: view["position"] == 1)
    await seats[1].state(lambda view: view["position"] == 2)
    specialist = await first.specialist_seat()
    participant_id = (await seats[0].state())["you"]["participant_id"]
    await specialist.call("admit", {"participant_id": participant_id})
    await seats[1].state(lambda view: view["position"] == 1)


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("knock", {"extra": 1}),
        ("knock", "text"),
        ("knock", [1, 2]),
        ("admit", {}),
        ("admit", {"participant_id": "../.."}),
        ("refuse", {"participant_id": "x", "words": "w" * 2001}),
        ("negotiate", {"sdp": "", "publications": {}, "subscriptions": {}}),
        ("negotiate", {"sdp": "x" * 200_001, "publications": {}, "subscriptions": {}}),
        ("negotiate", {"sdp": "v=0", "publications": {"0": "hologram"}, "subscriptions": {}}),
        ("chat", {"text": ""}),
        ("chat", {"text": b"bytes"}),
        ("capture_progress", {"capture_id": "x", "state": "stored"}),
        ("mute", {"publication_id": "x", "muted": "yes"}),
        ("camera_changed", {}),
    ],
)
async def test_malformed_events(clinic: Clinic, event: str, data: Any) -> None:
    consulted = await clinic.consultation()
    seat = await consulted.specialist_seat()
    before = await standing(clinic, consulted)
    assert error_of(await seat.call(event, data)) == "request.malformed"
    assert await standing(clinic, consulted) == before


async def test_unknown_events_broken_offers_and_floods(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    seat = await consulted.specialist_seat()
    before = await standing(clinic, consulted)
    assert error_of(await seat.call("drop_tables", {})) == "request.unknown_event"
    assert error_of(await seat.call("state", {})) == "request.unknown_event"
    broken = {"sdp": "v=0\r\nnonsense", "publications": {"0": "camera"}, "subscriptions": {}}
    assert error_of(await seat.call("negotiate", broken)) == "media.sdp_refused"
    unknown = {"publication_id": "nothing", "muted": True}
    assert error_of(await seat.call("mute", unknown)) == "media.unknown_publication"
    other = {"publication_id": "nothing"}
    assert error_of(await seat.call("camera_changed", other)) == "media.unknown_publication"
    replies = await asyncio.gather(*(seat.call("mute", unknown) for _ in range(150)))
    assert "request.rate_limited" in {error_of(reply) for reply in replies}
    assert await standing(clinic, consulted) == before


async def test_an_oversized_message_ends_the_connection_and_changes_nothing(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist, patient = await consulted.in_call()
    before = await standing(clinic, consulted)
    await patient.socket.emit("chat", {"text": "x" * (MAX_MESSAGE_BYTES + 1)}, namespace="/consultation")
    await asyncio.wait_for(patient.gone.wait(), TIMEOUT_S)
    await specialist.state(lambda view: not participant_of(view, "patient")["present"])
    assert await standing(clinic, consulted) == before
    patient = await consulted.patient_seat()
    assert await patient.call("chat", {"text": "again"}) == {"ok": True}


async def test_screens_are_the_specialists(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    _, patient = await consulted.in_call()
    offer = {"sdp": "v=0", "publications": {"0": "screen"}, "subscriptions": {}}
    assert error_of(await patient.call("negotiate", offer)) == "access.denied"


async def test_a_capture_through_the_doors(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist, patient = await consulted.in_call()
    capture_id = await ask_for_still(specialist, patient)
    assert error_of(await ask(specialist, patient)) == "capture.busy"
    progress = {"capture_id": capture_id, "state": "uploading", "sent_bytes": 10, "size_bytes": 99}
    assert await patient.call("capture_progress", progress) == {"ok": True}
    await specialist.state(lambda view: view["capture"] and view["capture"]["sent_bytes"] == 10)
    body = still()
    _, done = await upload(consulted.patient, body, consulted.consultation_id, capture_id=capture_id)
    assert done.status == 204
    stored = await specialist.state(lambda view: view["capture"] and view["capture"]["state"] == "stored")
    assert stored["capture"]["snapshot_id"] == done.headers["Snapshot-Id"]
    shown = await specialist.until("snapshot", lambda event: "display" in event["snapshot"]["variants"])
    assert shown["snapshot"]["method"] == "take_photo"
    assert shown["snapshot"]["calibration"] is None
    assert patient.named("snapshot") == []


async def test_a_device_that_cannot_and_no_video_is_an_honest_failure(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist, patient = await consulted.in_call()
    capture_id = await ask_for_still(specialist, patient)
    stranger = {"capture_id": "another", "reason": "refused"}
    assert error_of(await patient.call("capture_failed", stranger)) == "capture.unknown"
    await patient.call("capture_failed", {"capture_id": capture_id, "reason": "no_camera"})
    view = await specialist.state(lambda view: view["capture"]["state"] in ("storing", "failed"))
    assert view["capture"]["error"]["id"].startswith("capture.no_")
    assert FRAME_WAIT.total_seconds() < 10
    failed = await specialist.state(lambda view: view["capture"]["state"] == "failed")
    assert failed["capture"]["error"]["id"] == "capture.no_frame"
    assert not failed["capture"]["held_by_device"]
    could_not_send = {"capture_id": capture_id, "reason": "upload_failed", "held": True}
    await patient.call("capture_failed", could_not_send)
    await specialist.state(lambda view: view["capture"]["held_by_device"])
    await patient.close()
    await specialist.state(lambda view: not view["capture"]["held_by_device"])


async def test_a_participant_who_is_away_is_not_asked(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist, patient = await consulted.in_call()
    view = await specialist.state()
    await patient.close()
    await specialist.state(lambda view: not participant_of(view, "patient")["present"])
    asked = {"participant_id": participant_of(view, "patient")["participant_id"]}
    assert error_of(await specialist.call("capture", asked)) == "capture.not_present"


async def test_what_happened_is_in_the_audit(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist, _ = await consulted.in_call()
    await specialist.call("end")
    events = await clinic.server.records.audit_events()
    actions = {event.action for event in events}
    assert {"referral.accept", "consent.give", "participant.admitted", "consultation.ended"} <= actions
    ended = next(event for event in events if event.action == "consultation.ended")
    assert (ended.actor_id, ended.reason) == (
        clinic.specialist.staff_id,
        f"consultation/{consulted.consultation_id}",
    )
    consultation = await clinic.server.records.consultation(
        SYSTEM_ACTOR, consulted.consultation_id, utc_now()
    )
    assert consultation.ended_at is not None


async def standing(clinic: Clinic, consulted: Consulted) -> Any:
    """All that a message could have changed: the live room, the relay's, and the record, by its audit."""
    room = clinic.server.rooms.room(consulted.consultation_id)
    assert room is not None
    return (
        (room.state(), room.capture, room.calibration, room.muted.copy()),
        clinic.server.relay.publications(consulted.consultation_id),
        await clinic.server.records.verify_audit(),
    )


def error_of(reply: Any) -> str:
    return str(reply["error"]["id"])


async def ask(specialist: Seat, patient: Seat) -> Any:
    participant_id = (await patient.state())["you"]["participant_id"]
    return await specialist.call("capture", {"participant_id": participant_id})


async def ask_for_still(specialist: Seat, patient: Seat) -> str:
    reply = await ask(specialist, patient)
    assert reply["state"] == "requested"
    take = await patient.until("capture_take")
    assert take["capture_id"] == reply["capture_id"]
    return str(take["capture_id"])


async def test_a_camera_is_stretched_only_while_every_page_inside_can_undo_it(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    await consulted.consent()
    auth = {"consultation_id": consulted.consultation_id}
    specialist = await clinic.sit(auth | {"undoes_emphasis": 1}, browser=consulted.specialist)
    patient = await consulted.patient_seat()
    await patient.call("knock")
    waiting = await specialist.state(lambda view: participant_of(view, "patient")["admission"] == "waiting")
    patient_id = participant_of(waiting, "patient")["participant_id"]
    await specialist.call("admit", {"participant_id": patient_id})
    assert (await patient.state(lambda view: view["you"]["admission"] == "admitted"))["emphasis_version"] == 1

    # Away for a moment, the specialist comes back with the same page: nothing changes for the patient.
    await specialist.close()
    view = await patient.state(lambda view: not participant_of(view, "specialist")["present"])
    assert view["emphasis_version"] == 1
    without = await clinic.sit(auth, browser=consulted.specialist)
    await patient.state(lambda view: view["emphasis_version"] == 0)

    room = clinic.server.rooms.room(consulted.consultation_id)
    assert room is not None
    emphasis = ChromaEmphasis(1, 115, 142, 8)
    camera = PublicationInfo(
        "cam", room.consultation_id, patient_id, Kind.VIDEO, Source.CAMERA, "VP8", emphasis
    )
    room.publications["cam"] = camera
    clinic.server.rooms.changed(room)
    own = await patient.state(lambda view: bool(view["publications"]))
    assert own["publications"][0]["emphasis"]["center_u"] == 115
    assert (await without.state())["publications"] == []

    # With a page that can, it is there again.
    able = await clinic.sit(auth | {"undoes_emphasis": 1}, browser=consulted.specialist)
    assert (await able.state(lambda view: bool(view["publications"])))["publications"][0]["emphasis"] == {
        "version": 1,
        "center_u": 115,
        "center_v": 142,
        "softness": 8,
    }


@pytest.mark.parametrize(
    "emphasis",
    [
        {"version": 1, "center_u": 115, "center_v": 142},
        {"version": 1, "center_u": 300, "center_v": 142, "softness": 8},
        {"version": 1, "center_u": 115, "center_v": 142, "softness": 8, "more": 1},
        "strong",
    ],
)
async def test_emphasis_on_the_wire_is_checked(clinic: Clinic, emphasis: Any) -> None:
    consulted = await clinic.consultation()
    _, patient = await consulted.in_call()
    offer = {"sdp": "v=0", "publications": {"0": "camera"}, "subscriptions": {}, "emphasis": {"0": emphasis}}
    assert error_of(await patient.call("negotiate", offer)) == "request.malformed"
