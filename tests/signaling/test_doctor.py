"""truehue doctor: what it finds before a server runs, while one runs, and when something is wrong."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from media import native
from signaling import compose
from signaling.doctor import Finding, examine
from signaling.settings import Settings
from tests.support.coturn import start_coturn
from tests.support.ports import free_port
from tests.support.settings import loopback_settings

SECRET = "a-secret-of-enough-length"


async def findings(asked: Settings) -> dict[str, Finding]:
    return {finding.what: finding async for finding in examine(asked)}


async def test_before_the_first_start(tmp_path: Path) -> None:
    found = await findings(
        loopback_settings(tmp_path / "data", http_port=free_port(), media_port=free_port())
    )
    for what in ("python", "disk", "HTTP port", "media port", "record", "redis", "turn", "smtp"):
        assert found[what].fine, found[what]
    assert not (tmp_path / "data").exists(), "looking changes nothing"


async def test_how_packets_are_relayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def packets(*, wanted: bool) -> str:
        ports = {"http_port": free_port(), "media_port": free_port()}
        found = (await findings(loopback_settings(tmp_path / "data", native=wanted, **ports)))["packets"]
        assert found.fine
        return found.words

    reason = native.why_not()
    expected = "are relayed in C" if reason is None else f"are relayed in Python: {reason}"
    assert await packets(wanted=True) == expected
    assert await packets(wanted=False) == "are relayed in Python: by the setting native"
    # As on a system where nothing was compiled.
    monkeypatch.setitem(sys.modules, "media.native._loop", None)
    monkeypatch.delattr(native, "_loop", raising=False)
    native._load.cache_clear()
    try:
        assert await packets(wanted=True) == "are relayed in Python: it was not built"
    finally:
        native._load.cache_clear()


async def test_ports_of_the_running_server_are_as_they_should_be(tmp_path: Path) -> None:
    own = loopback_settings(tmp_path / "data", http_port=free_port(), media_port=free_port())
    server = await compose.start(own)
    try:
        found = await findings(own)
    finally:
        await server.stop()
    assert found["HTTP port"] == Finding(
        "HTTP port", True, f"{own.http_port} is taken by the server that runs"
    )
    assert found["media port"].fine
    assert found["record"].fine


async def test_ports_of_somebody_else_are_wrong(tmp_path: Path) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        for taken in (tcp, udp):
            taken.bind(("127.0.0.1", 0))
        ports = tcp.getsockname()[1], udp.getsockname()[1]
        found = await findings(loopback_settings(tmp_path, http_port=ports[0], media_port=ports[1]))
    assert not found["HTTP port"].fine
    assert not found["media port"].fine


async def test_turn_is_asked(tmp_path: Path) -> None:
    async with start_coturn(tmp_path, SECRET) as coturn:
        wrong = loopback_settings(tmp_path, turn_urls=(coturn.url,), turn_secret="another-secret-than-that")
        right = loopback_settings(tmp_path, turn_urls=(coturn.url,), turn_secret=SECRET)
        assert not (await findings(wrong))[f"turn {coturn.url}"].fine
        assert (await findings(right))[f"turn {coturn.url}"].fine


async def test_a_broken_record_is_wrong(tmp_path: Path) -> None:
    own = loopback_settings(tmp_path / "data")
    await (await compose.start(own)).stop()
    own.master_key_path.write_text("not a key", encoding="ascii")
    assert not (await findings(own))["record"].fine
