"""A running clinic, the videos that the people's cameras show, and a guard against video encoders."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from unittest.mock import patch

import av
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from bench.join import consultation
from bench.pages import Links
from media.interface import PublicationInfo, Source
from media.simulated.i420 import write_y4m
from media.simulated.placeholder import Placeholder
from media.simulated.scene import Scene, SceneOptions
from records.interface import SYSTEM_ACTOR, Participant, Records, Role, Snapshot, Staff, Timeline
from signaling import compose
from tests.e2e.people import DESK, PHONE, Person, sign_in
from tests.support.settings import loopback_settings

SPECIALIST_NAME = "Dr. Lin Yue"
PASSWORD = "correct horse battery staple"


@dataclass
class Clinic:
    """A server on a free port with one specialist, one referring practice, and a record to look into."""

    server: compose.RunningServer
    specialist: Staff
    referrer: Staff
    data: Path
    password: str = PASSWORD

    @property
    def url(self) -> str:
        """Where the pages are."""
        return self.server.url

    @property
    def records(self) -> Records:
        """The record behind the pages."""
        return self.server.records

    def now(self) -> datetime:
        """The server's clock."""
        return datetime.now(UTC)

    def blobs(self) -> list[Path]:
        """Every file of the encrypted store."""
        return [path for path in (self.data / "blobs").rglob("*") if path.is_file()]

    async def consultation_id(self) -> str:
        """The consultation of the day."""
        [consultation] = await self.records.consultations_of(
            SYSTEM_ACTOR, self.specialist.staff_id, self.now()
        )
        return consultation.consultation_id

    async def participants(self) -> Sequence[Participant]:
        """Everybody who was invited."""
        return await self.records.participants(await self.consultation_id())

    async def camera_of_patient(self) -> PublicationInfo:
        """What the relay knows of the patient's camera in the call."""
        consultation_id = await self.consultation_id()
        patients = {one.participant_id for one in await self.participants() if one.role is Role.PATIENT}
        [camera] = [
            one
            for one in self.server.relay.publications(consultation_id)
            if one.participant_id in patients and one.source is Source.CAMERA
        ]
        return camera

    async def snapshots(self) -> Sequence[Snapshot]:
        """What was captured in the consultation."""
        return await self.records.snapshots_of_consultation(
            SYSTEM_ACTOR, await self.consultation_id(), self.now()
        )

    async def timeline(self) -> Timeline:
        """The patient's record."""
        consultation = await self.records.consultation(SYSTEM_ACTOR, await self.consultation_id(), self.now())
        return await self.records.timeline(SYSTEM_ACTOR, consultation.patient.patient_id, self.now())


async def open_clinic(data: Path, **more: object) -> Clinic:
    """Start a server with its people; its `server.stop` ends it."""
    server = await compose.start(loopback_settings(data, **more))
    password_hash = await server.auth.passwords.hash(PASSWORD)
    site = await server.records.add_site("Riverside skin clinic")
    practice = await server.records.add_site("Dr. Bauer, general practice")
    specialist = await server.records.add_staff(
        site.site_id, "lin@clinic.example", SPECIALIST_NAME, Role.SPECIALIST, "en", password_hash
    )
    referrer = await server.records.add_staff(
        practice.site_id, "bauer@practice.example", "Dr. Bauer", Role.REFERRER, "en", password_hash
    )
    return Clinic(server, specialist, referrer, data)


async def refer(clinic: Clinic, browser: Browser) -> tuple[Person, Links]:
    """A signed-in specialist at a desk, and the consultation of "Patient 1" that they have accepted."""
    specialist = await Person.sits_down(browser, size=DESK)
    referrer = await Person.sits_down(browser, size=PHONE)
    await sign_in(specialist, f"{clinic.url}/s/", clinic.specialist.email, clinic.password)
    await sign_in(referrer, f"{clinic.url}/r/", clinic.referrer.email, clinic.password)
    return specialist, await consultation(referrer.page, specialist.page, 1)


@pytest_asyncio.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[Clinic]:
    """A fresh clinic for one test."""
    opened = await open_clinic(tmp_path / "data")
    try:
        yield opened
    finally:
        await opened.server.stop()


@pytest.fixture(scope="session")
def skin() -> Scene:
    """A forearm with a lesion and a chart in tungsten light, on a tripod; small, for want of a GPU."""
    return Scene(SceneOptions(width_px=640, height_px=360, motion=0.0))


@pytest.fixture(scope="session")
def skin_video(skin: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The forearm as a camera file."""
    path = tmp_path_factory.mktemp("video") / "skin.y4m"
    write_y4m(path, skin, fps=15, seconds=2)
    return path


@pytest.fixture(scope="session")
def office_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person at a desk as a camera file."""
    path = tmp_path_factory.mktemp("video") / "office.y4m"
    write_y4m(path, Placeholder(320, 180), fps=10, seconds=4)
    return path


@contextmanager
def no_encoder() -> Iterator[None]:
    """Within it, whoever constructs an audio or video encoder in this process fails: the server forwards."""
    create = av.CodecContext.create

    def only_decoders(codec: str, mode: Literal["r", "w"] | None = None) -> av.CodecContext:
        assert mode != "w", f"an encoder was constructed: {codec}"
        return create(codec, mode)

    with patch.object(av.CodecContext, "create", only_decoders):
        yield
