"""The demo clinic: a consultation with a simulated patient who joins as a phone would, again and again."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import date, timedelta
from itertools import cycle

import structlog

from records.interface import (
    Actor,
    Admission,
    Consultation,
    NewPatient,
    Participant,
    Phase,
    Role,
    Urgency,
)
from signaling.bus import Bus, Change
from signaling.compose import RunningServer, utc_now
from signaling.first_start import Team
from signaling.identity import new_token, token_hash

log = structlog.get_logger()

AGAIN_AFTER_S = 3.0
QUESTION = (
    "Pigmented lesion on the forearm, noticed about four months ago, slowly growing, sometimes itchy. "
    "Is it safe to wait, or should it be removed?"
)
_PEOPLE = (
    ("Maria Demo (simulated)", "light", "tungsten"),
    ("Ravi Demo (simulated)", "tan", "fluorescent"),
    ("Amara Demo (simulated)", "dark", "cool_led"),
)


class Demo:
    """Runs the simulated patient in a process of its own: its encoder takes nothing from the relay."""

    def __init__(self, server: RunningServer, bus: Bus, team: Team, loopback_url: str) -> None:
        """loopback_url: where the simulated patient finds the server."""
        self._server = server
        self._bus = bus
        self._team = team
        self._url = loopback_url
        self._people = cycle(_PEOPLE)
        self._task = asyncio.get_running_loop().create_task(self._run())
        self.ready = asyncio.Event()
        """Set once there is a consultation to open."""

    async def stop(self) -> None:
        """End the simulated patient."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while True:
            try:
                name, tone, illuminant = next(self._people)
                consultation = await self._waiting_consultation() or await self._new_consultation(name)
                link = await self._link(consultation)
                self.ready.set()
                await self._live(link, tone, illuminant)
            except Exception as error:
                log.error("demo_failed", error=type(error).__name__)
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _waiting_consultation(self) -> Consultation | None:
        """One of the demo that an earlier start left."""
        actor = Actor("system", Role.SYSTEM, "demo")
        consultations = await self._server.records.consultations_of(
            actor, self._team.specialist.staff_id, utc_now()
        )
        for one in consultations:
            if one.phase is not Phase.ENDED and one.patient.name in {person[0] for person in _PEOPLE}:
                patient = await self._patient_of(one)
                if patient.admission is not Admission.REFUSED:
                    return one
        return None

    async def _new_consultation(self, name: str) -> Consultation:
        records, team, now = self._server.records, self._team, utc_now()
        referrer = Actor(team.referrer.staff_id, Role.REFERRER, "demo")
        referral = await records.create_referral(
            referrer,
            team.referrer.site_id,
            NewPatient(name, date(1968, 4, 12), "unknown", "en", None),
            QUESTION,
            Urgency.SOON,
            now,
        )
        specialist = Actor(team.specialist.staff_id, Role.SPECIALIST, f"referral/{referral.referral_id}")
        consultation = await records.accept_referral(
            specialist, referral.referral_id, team.specialist.staff_id, now + timedelta(minutes=1), now
        )
        await records.add_participant(
            specialist,
            consultation.consultation_id,
            Role.SPECIALIST,
            team.specialist.name,
            team.specialist.staff_id,
            Admission.ADMITTED,
            now,
        )
        await self._bus.publish(Change(specialist_id=team.specialist.staff_id, site_id=team.referrer.site_id))
        return consultation

    async def _patient_of(self, consultation: Consultation) -> Participant:
        records = self._server.records
        for one in await records.participants(consultation.consultation_id):
            if one.role is Role.PATIENT:
                return one
        actor = Actor("system", Role.SYSTEM, f"consultation/{consultation.consultation_id}")
        return await records.add_participant(
            actor,
            consultation.consultation_id,
            Role.PATIENT,
            consultation.patient.name,
            None,
            Admission.INVITED,
            utc_now(),
        )

    async def _link(self, consultation: Consultation) -> str:
        patient = await self._patient_of(consultation)
        token = new_token()
        await self._server.records.set_link(
            patient.participant_id, token_hash(token), utc_now() + timedelta(days=1)
        )
        return f"{self._url}/p/#{token}"

    async def _live(self, link: str, tone: str, illuminant: str) -> None:
        """Until the consultation has ended; the link goes over standard input, where nobody reads it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "media.simulated", "-", "--tone", tone, "--illuminant", illuminant),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await process.communicate(f"{link}\n".encode())
            log.info("simulated_patient_gone", code=process.returncode)
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
