"""The `truehue` command as a user runs it, in processes of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.signaling.clinic import Browser


def environment(data: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRUEHUE_")}
    return {**kept, "TRUEHUE_DATA": str(data), "TRUEHUE_MEDIA_HOST": "127.0.0.1", **more}


async def command(
    data: Path, *arguments: str, stdin: bytes = b"", more: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Run to the end: (exit code, output, errors)."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "signaling.cli", *arguments),
        env=environment(data, **(more or {})),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(stdin)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def running(data: Path, *arguments: str) -> AsyncIterator[dict[str, dict[str, str]]]:
    """`truehue run --json`, stopped with SIGTERM at the end; yields what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "signaling.cli", "run", "--json", "--port", "0", *arguments),
        env=environment(data),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        yield json.loads(await process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        rest, _ = await process.communicate()
        assert rest == b"", "exactly one line is printed"
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def token_of(link: str) -> str:
    return link.partition("#sign-in=")[2]


async def test_run_twice(tmp_path: Path) -> None:
    ids = []
    for _ in range(2):
        async with running(tmp_path / "data") as printed:
            browser = Browser(str(printed["url"]))
            try:
                assert (await browser.get("/healthz")).status == 200
                roles = []
                for name, page in (("specialist", "/s/"), ("referrer", "/r/")):
                    link = printed["links"][name]
                    assert link.startswith(f"{printed['url']}{page}#sign-in=")
                    signed_in = await browser.post("/api/login/link", {"token": token_of(link)})
                    roles.append(signed_in.json["role"])
                ids.append(signed_in.json["staff_id"])
                assert roles == ["specialist", "referrer"]
            finally:
                await browser.http.close()
    assert ids[0] == ids[1]
    assert (tmp_path / "data" / "keys" / "master.key").stat().st_mode & 0o777 == 0o600


async def test_the_demo_has_a_waiting_patient(tmp_path: Path) -> None:
    async with running(tmp_path / "data", "--demo") as printed:
        browser = Browser(str(printed["url"]))
        try:
            await browser.post("/api/login/link", {"token": token_of(printed["links"]["specialist"])})
            waiting: list[dict[str, str]] = []
            while not waiting:
                worklist = (await browser.get("/api/worklist")).json
                waiting = worklist["consultations"][0]["waiting"]
            assert waiting[0]["role"] == "patient"
            assert "simulated" in waiting[0]["name"]
        finally:
            await browser.http.close()


async def test_lan_serves_https(tmp_path: Path) -> None:
    async with running(tmp_path / "data", "--lan") as printed:
        url = str(printed["url"])
        assert url.startswith("https://")
        trusting = ssl.create_default_context(cafile=str(tmp_path / "data" / "tls" / "authority.pem"))
        async with aiohttp.ClientSession() as http, http.get(f"{url}/healthz", ssl=trusting) as reply:
            assert reply.status == 200


async def test_accounts_audit_and_doctor(tmp_path: Path) -> None:
    data = tmp_path / "data"
    add = ("staff", "add", "--role", "specialist", "--email", "lin@clinic.example", "--name", "Dr. Lin")
    code, out, err = await command(
        data, *add, "--site", "Clinic", "--password-stdin", stdin=b"correct horse\n"
    )
    assert (code, out.strip()) == (0, "Added specialist at Clinic."), err
    code, _, err = await command(data, *add, "--site", "Clinic", "--password-stdin", stdin=b"correct horse\n")
    assert code == 1
    assert "account already" in err
    code, _, err = await command(data, *add, "--site", "Clinic", "--password-stdin", stdin=b"short\n")
    assert code == 1
    assert "10 characters" in err
    code, out, _ = await command(data, "audit", "verify")
    assert code == 0
    assert "hold together" in out
    for word, said in (("list", "0 entries past their retention."), ("remove", "0 entries removed.")):
        code, out, err = await command(data, "retention", word)
        assert (code, out.strip()) == (0, said), err
    code, out, _ = await command(data, "doctor", more={"TRUEHUE_HTTP_PORT": "0", "TRUEHUE_MEDIA_PORT": "0"})
    assert "ok    python" in out
    assert "ok    record: opens" in out
    assert "ok    turn: not set up" in out
    assert code == (0 if "WRONG" not in out else 1)


async def test_turn_config(tmp_path: Path) -> None:
    output = tmp_path / "turnserver.conf"
    turn = {
        "TRUEHUE_TURN_URLS": "turn:turn.example:3478",
        "TRUEHUE_TURN_SECRET": "0123456789abcdef",
        "TRUEHUE_PUBLIC_URL": "https://clinic.example",
        "TRUEHUE_MEDIA_ADDRESSES": "192.0.2.7",
    }
    code, _, err = await command(tmp_path / "data", "turn-config", "--output", str(output), more=turn)
    assert code == 0, err
    text = output.read_text()
    assert "realm=clinic.example" in text
    assert "allowed-peer-ip=192.0.2.7" in text
    assert "tls-listening-port" not in text
    assert output.stat().st_mode & 0o777 == 0o600
    tls = {
        "TRUEHUE_TURN_TLS_CERT": "/certs/turn.pem",
        "TRUEHUE_TURN_TLS_KEY": "/certs/turn.key",
        "TRUEHUE_TURN_TLS_PORT": "443",
    }
    code, _, err = await command(
        tmp_path / "data", "turn-config", "--output", str(output), more={**turn, **tls}
    )
    assert code == 0, err
    lines = output.read_text().splitlines()
    assert {"tls-listening-port=443", "cert=/certs/turn.pem", "pkey=/certs/turn.key"} <= {*lines}
    assert "no-tls" not in lines
    code, _, err = await command(tmp_path / "data", "turn-config", "--output", str(output))
    assert code == 1
    assert "secret" in err


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "truehue.sqlite").write_text("not a database, and longer than a header" * 50)
    code, _, err = await command(tmp_path / "data", "serve")
    assert code == 1
    assert "(record.error)" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "more", "words"),
    [
        (("serve",), {"TRUEHUE_HTTP_PORT": "many"}, "Setting TRUEHUE_HTTP_PORT"),
        (("serve",), {"TRUEHUE_NONSENSE": "1"}, "Setting TRUEHUE_NONSENSE"),
        (
            ("serve",),
            {"TRUEHUE_TURN_URLS": "turn.example:3478", "TRUEHUE_TURN_SECRET": "0123456789abcdef"},
            "turn_urls: a TURN URL is turn:host:port",
        ),
        (("audit", "verify"), {}, "There is no record yet"),
        (("retention", "list"), {}, "There is no record yet"),
    ],
)
async def test_what_is_wrong_is_said_in_a_line(
    tmp_path: Path, arguments: tuple[str, ...], more: dict[str, str], words: str
) -> None:
    code, _, err = await command(tmp_path / "data", *arguments, more=more)
    assert code == 1
    assert words in err
    assert "Traceback" not in err
