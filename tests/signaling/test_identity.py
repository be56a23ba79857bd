"""Who may is decided without a line of the audit; who then reads patient data leaves one, in their name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from records.interface import AuditEvent, Role
from tests.signaling.clinic import Clinic, Consulted, Reply, participant_of, still, upload
from tests.signaling.test_live import refusal


@dataclass
class Written:
    """The lines that the audit got meanwhile."""

    lines: Sequence[AuditEvent] = field(default_factory=list)

    @property
    def short(self) -> set[tuple[str, str]]:
        """(actor_id, action) of each."""
        return {(line.actor_id, line.action) for line in self.lines}


@asynccontextmanager
async def written(clinic: Clinic) -> AsyncIterator[Written]:
    before = len(await clinic.server.records.audit_events(10_000))
    seen = Written()
    yield seen
    seen.lines = (await clinic.server.records.audit_events(10_000))[before:]


@dataclass
class Asked:
    """A consultation with a picture, and the ways to ask for what is in it."""

    consulted: Consulted
    snapshot_id: str
    photo_id: str

    def doors(self) -> dict[str, str]:
        """Path by what it opens."""
        referral = self.consulted.referral
        return {
            "referral": f"/api/referrals/{referral['referral_id']}",
            "consultation": f"/api/consultations/{self.consulted.consultation_id}",
            "timeline": f"/api/patients/{referral['patient']['patient_id']}/timeline",
            "picture": f"/api/snapshots/{self.snapshot_id}/original",
            "photo": f"/api/snapshots/{self.photo_id}/original",
        }


@pytest.fixture
async def asked(clinic: Clinic) -> Asked:
    consulted = await clinic.consultation()
    await consulted.in_call()
    _, taken = await upload(consulted.patient, still(), consulted.consultation_id)
    _, sent = await upload(
        consulted.referrer, still(2), consulted.referral["referral_id"], purpose="referral_photo"
    )
    await clinic.server.stills.settle()
    return Asked(consulted, taken.headers["Snapshot-Id"], sent.headers["Snapshot-Id"])


async def test_a_refusal_writes_nothing(clinic: Clinic, asked: Asked) -> None:
    strangers = [
        await clinic.signed_in(clinic.other_specialist),
        await clinic.signed_in(clinic.other_referrer),
        asked.consulted.patient,
    ]
    connecting = {"consultation_id": asked.consulted.consultation_id}
    async with written(clinic) as seen:
        for browser in strangers:
            for path in asked.doors().values():
                assert (await browser.get(path)).error_id == "access.denied"
            link = await browser.post(f"{asked.doors()['consultation']}/links", {"role": "patient"})
            assert link.error_id == "access.denied"
            created, _ = await upload(browser, still(), "another")
            assert created.error_id == "record.not_found"
        for browser in strangers[:2]:
            cookie = {"Cookie": browser.cookie}
            assert await refusal(clinic, connecting, headers=cookie) == "access.denied"
    assert seen.lines == []


async def test_whoever_reads_is_named_and_nobody_else(clinic: Clinic, asked: Asked) -> None:
    for staff, browser in (
        (clinic.specialist, asked.consulted.specialist),
        (clinic.referrer, asked.consulted.referrer),
    ):
        expected = {
            "referral": {"referral.read", "consultation.read", "snapshot.read"},
            "consultation": {
                "consultation.read",
                "chat.read",
                "snapshot.list",
                "referral.read",
                "snapshot.read",
            },
            "timeline": {"timeline.read", "snapshot.read"},
            "picture": {"snapshot.view.original"},
            "photo": {"snapshot.view.original"},
        }
        if staff is clinic.referrer:
            # Until the consultation has ended, it reads what its own people were inside for: here nothing.
            expected["consultation"].remove("chat.read")
        for name, path in asked.doors().items():
            async with written(clinic) as seen:
                assert (await browser.get(path)).status == 200
            assert seen.short == {(staff.staff_id, action) for action in expected[name]}, name
            assert all(line.role is staff.role for line in seen.lines)


async def test_lists_are_read_by_those_who_see_them(clinic: Clinic, asked: Asked) -> None:
    ask: list[tuple[str, Callable[[], Awaitable[Reply]], str]] = [
        (
            clinic.specialist.staff_id,
            lambda: asked.consulted.specialist.get("/api/worklist"),
            "consultation.list",
        ),
        (clinic.referrer.staff_id, lambda: asked.consulted.referrer.get("/api/referrals"), "referral.list"),
    ]
    for staff_id, get, action in ask:
        async with written(clinic) as seen:
            assert (await get()).status == 200
        assert {line.actor_id for line in seen.lines} == {staff_id}
        assert (staff_id, action) in seen.short


async def test_coming_in_is_a_read_of_ones_own(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    await consulted.consent()
    async with written(clinic) as seen:
        assert (await consulted.patient.get("/api/join")).status == 200
        patient = await consulted.patient_seat()
        participant_id = (await patient.state())["you"]["participant_id"]
    assert seen.short == {(participant_id, "consultation.read")}
    async with written(clinic) as seen:
        specialist = await consulted.specialist_seat()
        await specialist.state(lambda view: participant_of(view, "patient")["present"])
    assert seen.short == {(clinic.specialist.staff_id, "consultation.read")}
    # The waiting room's places are worked out from times alone.
    async with written(clinic) as seen:
        await patient.call("knock")
        await patient.state(lambda view: view["position"] == 1)
        await specialist.state(lambda view: participant_of(view, "patient")["admission"] == "waiting")
    assert seen.short == {(participant_id, "participant.waiting")}


async def test_only_derived_pictures_are_made_by_the_system(clinic: Clinic, asked: Asked) -> None:
    lines = await clinic.server.records.audit_events(10_000)
    by_system = {line.action for line in lines if line.role is Role.SYSTEM}
    assert by_system == {"snapshot.view.original", "snapshot.derive.thumbnail", "snapshot.derive.display"}
