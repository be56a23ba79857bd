"""Personal links by mail, to a real SMTP server that keeps what it gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from signaling.compose import utc_now
from signaling.mail import Mailer
from tests.signaling.clinic import Clinic


class Sink:
    """Keeps every message."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.recipients += envelope.rcpt_tos
        return "250 kept"


@asynccontextmanager
async def smtp_server(sink: Sink) -> AsyncIterator[str]:
    """An SMTP server on a free port; its URL."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, hostname="sink.example", loop=loop), "127.0.0.1", 0)
    async with server:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(("language", "subject"), [("en", "Your link"), ("zh", "您的视频会诊链接")])
async def test_a_link_by_mail(tmp_path: Path, language: str, subject: str) -> None:
    sink = Sink()
    async with (
        smtp_server(sink) as url,
        Clinic.open(tmp_path, smtp_url=url, mail_from="clinic@clinic.example") as clinic,
    ):
        referrer = await clinic.signed_in(clinic.referrer)
        specialist = await clinic.signed_in(clinic.specialist)
        referral = await clinic.referral(referrer, language=language)
        accepted = await specialist.post(
            f"/api/referrals/{referral['referral_id']}/accept", {"scheduled_at": "2026-12-01T10:00:00Z"}
        )
        path = f"/api/consultations/{accepted.json['consultation_id']}/links"
        made = await specialist.post(path, {"role": "patient", "send_mail": True})
    assert made.json["mailed"] is True
    [message] = sink.messages
    assert sink.recipients == ["ana@patient.example"]
    assert message["From"] == "clinic@clinic.example"
    assert str(message["Subject"]).startswith(subject)
    text = message.get_content()
    assert made.json["url"] in text
    assert "2026-12-01 10:00" in text
    assert "What is this?" not in text


async def test_a_mail_server_that_is_away_is_said_and_the_link_stands(tmp_path: Path) -> None:
    async with smtp_server(Sink()) as url:
        pass
    async with Clinic.open(tmp_path, smtp_url=url, mail_from="clinic@clinic.example") as clinic:
        consulted = await clinic.consultation()
        path = f"/api/consultations/{consulted.consultation_id}/links"
        made = await consulted.specialist.post(path, {"role": "patient", "send_mail": True})
        assert (made.status, made.json["mailed"]) == (201, False)
    assert await Mailer(url, "clinic@clinic.example").reachable() is False


async def test_a_hostile_address_is_refused() -> None:
    sink = Sink()
    async with smtp_server(sink) as url:
        mailer = Mailer(url, "clinic@clinic.example")
        assert await mailer.reachable() is True
        for to in ("a@b.example\r\nBcc: everybody@c.example", "a@b.example\nX: y"):
            assert await mailer.send_link(to, "en", "Clinic", utc_now(), "https://x/p/#t") is False
    assert sink.messages == []
