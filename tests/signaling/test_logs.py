"""The log of a whole consultation, with hostile and personal input, holds none of it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import structlog

from signaling import logs
from tests.signaling.clinic import Clinic
from tests.signaling.test_live import error_of

HOSTILE = "Robert'); DROP TABLE<script>\x1b[31m"


async def test_no_personal_data_in_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:]
    try:
        logs.set_up("debug", "json")
        async with Clinic.open(tmp_path) as clinic:
            consulted = await clinic.consultation()
            specialist, patient = await consulted.in_call()
            await patient.call("chat", {"text": HOSTILE})
            assert error_of(await patient.call(HOSTILE, {HOSTILE: HOSTILE})) == "request.unknown_event"
            await specialist.call("refuse", {"participant_id": HOSTILE, "words": HOSTILE})
            await consulted.referrer.post("/api/referrals", {HOSTILE: "Ana Quispe"})
            await consulted.referrer.get("/api/referrals/Robert%27")
            await clinic.browser().post(
                "/api/login", {"email": "ana@patient.example", "password": "hunter22"}
            )
            await clinic.browser(consulted.token + "x").get("/api/join")
            logging.getLogger("some.library").error("Ana Quispe %s", consulted.token)
        cookie = consulted.specialist.cookie.partition("=")[2]
    finally:
        logging.getLogger().handlers = before
        logging.getLogger().setLevel(logging.WARNING)
        structlog.reset_defaults()
    written = capsys.readouterr().err
    assert '"event": "http"' in written
    assert '"event": "event_refused"' in written
    assert '"library": "some.library"' in written
    secrets = ("Ana", "Quispe", "patient.example", "hunter22", consulted.token, cookie, "Robert", "DROP")
    for secret in secrets:
        assert secret not in written
