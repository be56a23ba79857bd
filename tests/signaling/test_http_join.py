"""A personal link: what it opens, consent with its text, satisfaction after the end, and nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from records.store import RecordStore
from signaling.consent import consent_text
from signaling.messages import ConsentTextView
from tests.signaling.clinic import Clinic


def hash_of(text: ConsentTextView) -> str:
    return hashlib.sha256("\n".join([text.title, *text.paragraphs]).encode()).hexdigest()


def test_both_languages_say_the_same_version() -> None:
    english, chinese = consent_text("en"), consent_text("zh")
    assert english.version == chinese.version
    assert len(english.paragraphs) == len(chinese.paragraphs)
    assert english.sha256 == hash_of(english)
    assert chinese.sha256 == hash_of(chinese)


async def test_what_a_link_opens(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    joined = (await consulted.patient.get("/api/join")).json
    assert (joined["name"], joined["specialist_name"]) == ("Ana Quispe", "Dr. Specialist 0")
    assert (joined["site_name"], joined["language"], joined["phase"]) == ("City clinic", "en", "scheduled")
    assert joined["consent_given"] is False
    ice = (await consulted.patient.get("/api/ice")).json
    assert ice == {"ice_servers": [], "relay_configured": False}


async def test_consent_is_for_the_text_that_was_shown(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    text = (await consulted.patient.get("/api/consent/zh")).json
    good = {
        "version": text["version"],
        "language": "zh",
        "text_sha256": text["sha256"],
        "purposes": ["teaching", "care"],
    }
    for change, error_id in (
        ({"text_sha256": "0" * 64}, "consent.text_changed"),
        ({"language": "en"}, "consent.text_changed"),
        ({"version": "1999"}, "consent.text_changed"),
        ({"purposes": ["teaching"]}, "consent.care_needed"),
        ({"purposes": ["care", "sale"]}, "request.malformed"),
    ):
        refused = await consulted.patient.post("/api/join/consent", {**good, **change})
        assert refused.error_id == error_id
    assert (await consulted.patient.get("/api/join")).json["consent_given"] is False
    given = await consulted.patient.post("/api/join/consent", good)
    assert given.json["consent_given"] is True
    places = await clinic.server.records.participants(consulted.consultation_id)
    consent = next(one.consent for one in places if one.consent is not None)
    assert (consent.language, consent.purposes) == ("zh", ("care", "teaching"))
    assert consent.text_sha256 == text["sha256"]


async def test_satisfaction_comes_after_the_end(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    await consulted.consent()
    answer = {"score": 5, "words": "谢谢"}
    early = await consulted.patient.post("/api/join/satisfaction", answer)
    assert (early.status, early.error_id) == (409, "consultation.not_ended")
    seat = await consulted.specialist_seat()
    await seat.call("end")
    assert (await consulted.patient.post("/api/join/satisfaction", answer)).json == {"ok": True}
    assert (await consulted.patient.get("/api/join")).json["satisfaction_given"] is True
    late = await consulted.patient.post("/api/join/consent", {})
    assert late.error_id == "consultation.ended"
    assert (await consulted.patient.get("/api/ice")).error_id == "access.denied"
    for score in (0, 6, 2.5, "5"):
        bad = await consulted.patient.post("/api/join/satisfaction", {"score": score})
        assert bad.error_id == "request.malformed"


async def test_turn_credentials_are_handed_out(tmp_path: Path) -> None:
    more: dict[str, Any] = {"turn_urls": ("turn:turn.example:3478",), "turn_secret": "a long shared secret"}
    async with Clinic.open(tmp_path, **more) as clinic:
        consulted = await clinic.consultation()
        participant_id = (await consulted.patient.get("/api/join")).json["participant_id"]
        ice = (await consulted.patient.get("/api/ice")).json
        assert ice["relay_configured"] is True
        [server] = ice["ice_servers"]
        assert server["urls"] == ["turn:turn.example:3478"]
        assert server["username"].endswith(f":{participant_id}")
        assert "secret" not in str(ice)
    more |= {"turn_tls_cert": "/certs/turn.pem", "turn_tls_key": "/certs/turn.key"}
    async with Clinic.open(tmp_path, **more) as clinic:
        ice = (await (await clinic.signed_in(clinic.specialist)).get("/api/ice")).json
        [server] = ice["ice_servers"]
        assert server["urls"] == ["turn:turn.example:3478", "turns:turn.example:5349?transport=tcp"]


async def test_no_such_language_or_link(clinic: Clinic) -> None:
    browser = clinic.browser()
    assert (await browser.get("/api/consent/fr")).error_id == "request.not_found"
    assert (await browser.get("/api/join")).error_id == "access.link_invalid"
    for token in ("short", "x" * 200, "no such link exists"):
        assert (await clinic.browser(token).get("/api/join")).error_id == "access.link_invalid"


async def test_a_patient_reads_who_saw_the_record_and_from_where_stays_in_the_audit(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    found = (await consulted.patient.get("/api/join/accesses")).json["accesses"]
    assert found
    assert {one["role"] for one in found} <= {"specialist", "referrer"}
    assert any(one["name"] == "Dr. Specialist 0" for one in found)
    assert (await clinic.browser().get("/api/join/accesses")).status == 401
    records = clinic.server.records
    assert isinstance(records, RecordStore)
    events = await records.audit_events(limit=1)
    assert await records.origins(events) == ["127.0.0.1"]
    assert events[0].action == "access.read"
