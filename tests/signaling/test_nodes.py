"""Two nodes on one record and one real Redis: changes reach both, a consultation lives on one."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis.asyncio

from signaling import compose
from signaling.settings import SettingsError
from tests.signaling.clinic import Clinic
from tests.signaling.test_live import refusal
from tests.support.settings import loopback_settings


@pytest.fixture
async def redis_url(tmp_path: Path) -> AsyncIterator[str]:
    """A real redis-server on a socket of its own: no port can be taken."""
    program = shutil.which("redis-server")
    assert program is not None, "redis-server is not installed (Debian: apt-get install redis-server)"
    path = tmp_path / "redis.sock"
    process = await asyncio.create_subprocess_exec(
        program,
        *("--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no"),
        *("--dir", str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async for line in process.stdout:
        if b"ready to accept connections" in line.lower():
            break
    yield f"unix://{path}"
    process.terminate()
    await process.communicate()


async def test_two_nodes(tmp_path: Path, redis_url: str) -> None:
    data = tmp_path / "data"
    async with (
        Clinic.open(data, redis_url=redis_url, node_name="one") as one,
        Clinic.open(data, redis_url=redis_url, node_name="two") as two,
    ):
        # A session of one node holds on the other: cookies live in the record.
        specialist_two = await two.signed_in(two.specialist)
        worklist = await two.sit({}, "/worklist", specialist_two)
        await worklist.until("worklist")
        consulted = await one.consultation()
        await worklist.until("worklist", lambda view: len(view["consultations"]) == 1)

        seat = await consulted.specialist_seat()
        await seat.state()
        auth = {"consultation_id": consulted.consultation_id}
        cookie = {"Cookie": specialist_two.cookie}
        assert await refusal(two, auth, headers=cookie) == "consultation.on_another_node"

        # What is done over HTTP at one node is seen in the room on the other.
        patient = await consulted.patient_seat()
        consulted.patient.url = two.url
        await consulted.consent()
        await patient.state(lambda view: view["consent_given"])
        await patient.call("knock")
        await worklist.until("worklist", lambda view: any(one["waiting"] for one in view["consultations"]))


async def test_a_stopped_node_frees_its_consultations(tmp_path: Path, redis_url: str) -> None:
    data = tmp_path / "data"
    async with Clinic.open(data, redis_url=redis_url, node_name="two") as two:
        async with Clinic.open(data, redis_url=redis_url, node_name="one") as one:
            consulted = await one.consultation()
            await (await consulted.specialist_seat()).state()
        seat = await two.sit({"token": consulted.token})
        await seat.state(lambda view: view["you"]["admission"] == "invited")


async def test_no_patient_data_passes_through_redis(tmp_path: Path, redis_url: str) -> None:
    client = redis.asyncio.Redis.from_url(redis_url)
    heard: list[bytes] = []
    async with client, client.monitor() as monitor:

        async def listen() -> None:
            async for command in monitor.listen():
                heard.append(str(command).encode())
                if b"the end" in heard[-1]:
                    return

        listening = asyncio.create_task(listen())
        async with Clinic.open(tmp_path / "data", redis_url=redis_url, node_name="one") as one:
            consulted = await one.consultation()
            specialist, _ = await consulted.in_call()
            await specialist.call("chat", {"text": "melanoma"})
        await client.echo("the end")
        await listening
    everything = b"".join(heard)
    assert b"truehue:changes" in everything
    for secret in (b"Ana", b"Quispe", b"melanoma", consulted.token.encode()):
        assert secret not in everything


async def test_redis_that_is_away_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        await compose.start(loopback_settings(tmp_path, redis_url=f"unix://{tmp_path}/nobody.sock"))
    assert raised.value.setting == "redis_url"
