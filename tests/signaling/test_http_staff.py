"""Staff over HTTP: signing in, referrals, scheduling, links, notes, and who is kept out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from records.interface import Role
from signaling.auth import Passwords
from tests.signaling.clinic import Clinic, participant_of


async def test_a_sign_in_link_works_once(clinic: Clinic) -> None:
    token = clinic.server.auth.make_sign_in_link(clinic.specialist.staff_id, datetime.now(UTC))
    browser = clinic.browser()
    first = await browser.post("/api/login/link", {"token": token})
    assert (first.status, first.json["role"], first.json["site_name"]) == (200, "specialist", "City clinic")
    cookie = first.headers["Set-Cookie"]
    for word in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert word in cookie
    assert (await browser.get("/api/me")).json["staff_id"] == clinic.specialist.staff_id
    second = await clinic.browser().post("/api/login/link", {"token": token})
    assert (second.status, second.error_id) == (401, "login.link_used")


async def test_an_old_sign_in_link_is_refused(clinic: Clinic) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=2)
    token = clinic.server.auth.make_sign_in_link(clinic.specialist.staff_id, yesterday)
    reply = await clinic.browser().post("/api/login/link", {"token": token})
    assert reply.error_id == "login.link_used"


async def test_password_sign_in_and_out(clinic: Clinic) -> None:
    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    await clinic.server.records.add_staff(
        clinic.specialist.site_id,
        "lin@clinic.example",
        "Dr. Lin",
        Role.SPECIALIST,
        "zh",
        await cheap.hash("correct horse"),
    )
    browser = clinic.browser()
    wrong = await browser.post("/api/login", {"email": "lin@clinic.example", "password": "battery"})
    assert (wrong.status, wrong.error_id) == (401, "login.failed")
    nobody = await browser.post("/api/login", {"email": "who@clinic.example", "password": "battery"})
    assert nobody.body == wrong.body
    right = await browser.post("/api/login", {"email": " Lin@Clinic.example", "password": "correct horse"})
    assert (right.status, right.json["language"]) == (200, "zh")
    assert (await browser.get("/api/me")).status == 200
    assert (await browser.post("/api/logout", {})).json == {"ok": True}
    assert (await browser.get("/api/me")).error_id == "access.sign_in"


async def test_guessing_is_limited(clinic: Clinic) -> None:
    browser = clinic.browser()
    guesses = [
        (await browser.post("/api/login", {"email": "lin@clinic.example", "password": str(n)})).error_id
        for n in range(6)
    ]
    assert guesses == ["login.failed"] * 5 + ["login.rate_limited"]


async def test_a_referral_and_its_answer(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist, referrer = consulted.specialist, consulted.referrer
    listed = (await referrer.get("/api/referrals")).json["referrals"]
    assert [(one["state"], one["patient"]["name"]) for one in listed] == [("accepted", "Ana Quispe")]
    assert "ana@" not in str(listed)
    worklist = (await specialist.get("/api/worklist")).json
    assert worklist["referrals"] == []
    [summary] = worklist["consultations"]
    assert (summary["question"], summary["urgency"]) == ("What is this?", "soon")

    path = f"/api/consultations/{consulted.consultation_id}"
    note = await specialist.ask("PUT", f"{path}/note", {"text": "Benign.", "version": 0})
    assert note.json == {"text": "Benign.", "version": 1}
    stale = await specialist.ask("PUT", f"{path}/note", {"text": "Other.", "version": 0})
    assert (stale.status, stale.error_id) == (409, "record.conflict")
    assert (await referrer.get("/api/referrals")).json["referrals"][0]["answer"] is None

    seat = await consulted.specialist_seat()
    assert await seat.call("end") == {"ok": True}
    [answered] = (await referrer.get("/api/referrals")).json["referrals"]
    assert (answered["state"], answered["answer"]) == ("answered", "Benign.")
    patient_id = answered["patient"]["patient_id"]
    for browser in (specialist, referrer):
        timeline = (await browser.get(f"/api/patients/{patient_id}/timeline")).json
        assert [one["note"] for one in timeline["consultations"]] == ["Benign."]
    late = await specialist.post(f"{path}/links", {"role": "patient"})
    assert late.error_id == "consultation.ended"


async def test_decline(clinic: Clinic) -> None:
    referrer, specialist = await clinic.signed_in(clinic.referrer), await clinic.signed_in(clinic.specialist)
    referral = await clinic.referral(referrer)
    path = f"/api/referrals/{referral['referral_id']}"
    assert (await specialist.get(path)).json["question"] == "What is this?"
    declined = await specialist.post(f"{path}/decline", {"reason": "Please send photos."})
    assert (declined.status, declined.json["state"]) == (200, "declined")
    assert (await referrer.get(path)).json["decline_reason"] == "Please send photos."
    again = await specialist.post(f"{path}/accept", {"scheduled_at": datetime.now(UTC).isoformat()})
    assert again.error_id == "access.denied"


async def test_accepting_twice(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    path = f"/api/referrals/{consulted.referral['referral_id']}/accept"
    reply = await consulted.specialist.post(path, {"scheduled_at": datetime.now(UTC).isoformat()})
    assert (reply.status, reply.error_id) == (409, "referral.state")


@pytest.mark.parametrize(
    "scheduled_at", ["2001-01-01T10:00:00Z", "2126-01-01T10:00:00Z", "2026-12-01T10:00:00"]
)
async def test_impossible_dates(clinic: Clinic, scheduled_at: str) -> None:
    referrer, specialist = await clinic.signed_in(clinic.referrer), await clinic.signed_in(clinic.specialist)
    referral = await clinic.referral(referrer)
    path = f"/api/referrals/{referral['referral_id']}/accept"
    reply = await specialist.post(path, {"scheduled_at": scheduled_at})
    assert (reply.status, reply.error_id) == (422, "referral.date")


async def test_strangers_are_kept_out(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    consultation = f"/api/consultations/{consulted.consultation_id}"
    referral = f"/api/referrals/{consulted.referral['referral_id']}"
    timeline = f"/api/patients/{consulted.referral['patient']['patient_id']}/timeline"
    for staff in (clinic.other_specialist, clinic.other_referrer):
        stranger = await clinic.signed_in(staff)
        for path in (consultation, referral, timeline):
            assert (await stranger.get(path)).error_id == "access.denied"
        assert (await stranger.post(f"{consultation}/links", {"role": "patient"})).error_id == "access.denied"
        note = await stranger.ask("PUT", f"{consultation}/note", {"text": "x", "version": 0})
        assert note.error_id == "access.denied"
    for person in (clinic.browser(), clinic.browser("not-a-token-of-anybody")):
        for path in (consultation, referral, timeline, "/api/worklist", "/api/referrals", "/api/ice"):
            assert (await person.get(path)).status == 401
    for path in (consultation, referral, timeline, "/api/worklist", "/api/referrals"):
        assert (await consulted.patient.get(path)).error_id == "access.denied"


async def test_an_open_referral_is_every_specialists_but_no_other_sites(clinic: Clinic) -> None:
    referral = await clinic.referral(await clinic.signed_in(clinic.referrer))
    path = f"/api/referrals/{referral['referral_id']}"
    assert (await (await clinic.signed_in(clinic.other_specialist)).get(path)).status == 200
    other_site = await clinic.signed_in(clinic.other_referrer)
    assert (await other_site.get(path)).error_id == "access.denied"
    assert (await other_site.get("/api/referrals")).json == {"referrals": []}


async def test_a_specialist_makes_no_referral(clinic: Clinic) -> None:
    reply = await (await clinic.signed_in(clinic.specialist)).post(
        "/api/referrals",
        {
            "patient": {"name": "x", "birth_date": None, "sex": "unknown", "language": "en"},
            "question": "?",
            "urgency": "soon",
        },
    )
    assert reply.error_id == "access.denied"


async def test_a_new_link_ends_the_old_one(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    path = f"/api/consultations/{consulted.consultation_id}/links"
    reply = await consulted.referrer.post(path, {"role": "patient"})
    assert reply.json["url"].startswith(f"{clinic.url}/p/#")
    assert reply.json["qr_svg"].startswith("<svg")
    assert reply.json["mailed"] is False
    assert (await consulted.patient.get("/api/join")).error_id == "access.link_invalid"
    fresh = clinic.browser(reply.json["url"].partition("#")[2])
    assert (await fresh.get("/api/join")).json["name"] == "Ana Quispe"


async def test_an_interpreter_comes_by_link(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    path = f"/api/consultations/{consulted.consultation_id}/links"
    assert (await consulted.specialist.post(path, {"role": "interpreter"})).error_id == "link.name_needed"
    ids = set()
    for _ in range(2):
        made = await consulted.specialist.post(path, {"role": "interpreter", "name": "Li Na"})
        token = made.json["url"].partition("#")[2]
        joined = (await clinic.browser(token).get("/api/join")).json
        ids.add(joined["participant_id"])
        assert (joined["role"], joined["name"]) == ("interpreter", "Li Na")
    assert len(ids) == 1
    seat = await clinic.sit({"token": token})
    assert await seat.call("knock") == {"ok": True}
    specialist = await consulted.specialist_seat()
    await specialist.state(lambda view: participant_of(view, "interpreter")["admission"] == "waiting")


async def test_a_display_check_goes_with_the_consultation(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    path = f"/api/consultations/{consulted.consultation_id}"
    timeline = f"/api/patients/{consulted.referral['patient']['patient_id']}/timeline"
    assert (await consulted.specialist.get(path)).json["display_check"] is None
    earlier = {"gamut": "p3", "steps_apart": True, "age_s": 3600}
    kept = await consulted.specialist.ask("PUT", f"{path}/display-check", earlier)
    assert (kept.status, kept.json["gamut"], kept.json["steps_apart"]) == (200, "p3", True)
    age = datetime.now(UTC) - datetime.fromisoformat(kept.json["checked_at"])
    assert timedelta(hours=1) <= age < timedelta(hours=2)
    for browser in (consulted.specialist, consulted.referrer):
        assert (await browser.get(path)).json["display_check"] == kept.json
        [known] = (await browser.get(timeline)).json["consultations"]
        assert known["display_check"] == kept.json
    again = await consulted.specialist.ask(
        "PUT", f"{path}/display-check", {"gamut": "less", "steps_apart": False}
    )
    assert (await consulted.specialist.get(path)).json["display_check"] == again.json
    for browser in (consulted.referrer, consulted.patient, await clinic.signed_in(clinic.other_specialist)):
        assert (await browser.ask("PUT", f"{path}/display-check", earlier)).error_id == "access.denied"
    for wrong in ({"gamut": "cmyk"}, {"steps_apart": "yes"}, {"age_s": -1}, {"age_s": 86_401}, {"more": 1}):
        refused = await consulted.specialist.ask("PUT", f"{path}/display-check", {**earlier, **wrong})
        assert refused.error_id == "request.malformed"


async def test_the_live_lists(clinic: Clinic) -> None:
    referrer, specialist = await clinic.signed_in(clinic.referrer), await clinic.signed_in(clinic.specialist)
    worklist = await clinic.sit({}, "/worklist", specialist)
    referrals = await clinic.sit({}, "/worklist", referrer)
    await worklist.until("worklist", lambda view: view["referrals"] == [])
    await clinic.referral(referrer)
    await worklist.until("worklist", lambda view: len(view["referrals"]) == 1)
    shown = await referrals.until("referrals", lambda view: len(view["referrals"]) == 1)
    path = f"/api/referrals/{shown['referrals'][0]['referral_id']}/accept"
    await specialist.post(path, {"scheduled_at": datetime.now(UTC).isoformat()})
    await worklist.until("worklist", lambda view: len(view["consultations"]) == 1 and not view["referrals"])
    await referrals.until(
        "referrals", lambda view: [one["state"] for one in view["referrals"]] == ["accepted"]
    )
