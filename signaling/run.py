"""What the commands do: serve until told to stop, print links, accounts, the audit."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import signal
import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import msgspec

from records.interface import SYSTEM_ACTOR, Conflict, Role
from signaling import compose
from signaling.auth import Passwords
from signaling.cli import INTERRUPTED
from signaling.compose import RunningServer, utc_now
from signaling.demo import Demo
from signaling.first_start import Team, ensure_team, site_named
from signaling.own_certificate import OwnCertificate, lan_addresses, load_or_make
from signaling.settings import Settings, SettingsError
from signaling.start_words import Links, start_words

MIN_PASSWORD = 10


async def until_signal(work: Coroutine[Any, Any, None], stop: Callable[[], None] | None = None) -> int:
    """Run work to its end, or until SIGINT or SIGTERM; returns the exit code, 130 after SIGINT.

    stop: what the signal does; None cancels the work, wherever it is. A second signal does nothing: the first
    is being obeyed.
    """
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    told: list[int] = []

    def on_signal(number: int) -> None:
        told.append(number)
        if len(told) == 1:
            (stop or task.cancel)()

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, on_signal, number)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return INTERRUPTED if told[:1] == [signal.SIGINT] else 0


async def serve(settings: Settings) -> int:
    """Until a signal; returns the exit code."""
    return await until_signal(_serve(settings))


async def _serve(settings: Settings) -> None:
    async with AsyncExitStack() as stack:
        server = await compose.start(settings)
        stack.push_async_callback(server.stop)
        if settings.demo:
            team = await ensure_team(server.records, demo=True)
            await _start_demo(server, team, stack)
        await _for_ever()


async def _for_ever() -> None:
    """What was loaded and made by now stays: a full collection that walks it all holds up every packet for 30
    ms, one of the rest for less than one."""
    gc.collect()
    gc.freeze()
    await asyncio.get_running_loop().create_future()


async def run(settings: Settings, *, lan: bool, as_json: bool) -> int:
    """With the embedded defaults: make what is missing, print the links, serve; returns the exit code."""
    return await until_signal(_run(settings, lan=lan, as_json=as_json))


async def _run(settings: Settings, *, lan: bool, as_json: bool) -> None:
    certificate: OwnCertificate | None = None
    if lan:
        addresses = lan_addresses()
        certificate = load_or_make(settings.data_dir / "tls", addresses, utc_now())
        settings = msgspec.structs.replace(
            settings,
            http_host="0.0.0.0",  # noqa: S104 - phones on the network shall reach it
            tls_cert=str(certificate.cert),
            tls_key=str(certificate.key),
        )
    async with AsyncExitStack() as stack:
        server = await compose.start(settings)
        stack.push_async_callback(server.stop)
        team = await ensure_team(server.records, demo=settings.demo)
        if settings.demo:
            await _start_demo(server, team, stack)
        base = _base(server, addresses if lan else [])
        server.use_public_url(base)
        links = _links(server, team, base)
        if as_json:
            print(
                json.dumps(
                    {"url": base, "links": {"specialist": links.specialist, "referrer": links.referrer}}
                )
            )
            sys.stdout.flush()
        else:
            print(start_words(links, base, certificate, demo=settings.demo), flush=True)
        await _for_ever()


async def _start_demo(server: RunningServer, team: Team, stack: AsyncExitStack) -> None:
    scheme = "https" if server.settings.tls_cert else "http"
    demo = Demo(server, server.bus, team, f"{scheme}://127.0.0.1:{server.port}")
    stack.push_async_callback(demo.stop)
    await demo.ready.wait()


def _base(server: RunningServer, addresses: list[str]) -> str:
    """What to open: the public URL, else the first address on the network, else this machine."""
    if server.settings.public_url or not addresses:
        return server.url
    host = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    return f"https://{host}:{server.port}"


def _links(server: RunningServer, team: Team, base: str) -> Links:
    def link(page: str, staff_id: str) -> str:
        return f"{base}/{page}/#sign-in={server.auth.make_sign_in_link(staff_id, utc_now())}"

    return Links(link("s", team.specialist.staff_id), link("r", team.referrer.staff_id))


async def simulate(link: str) -> int:
    """A simulated patient until the consultation has ended, or a signal; returns the exit code."""
    stop = asyncio.Event()
    return await until_signal(compose.simulate(link, stop), stop.set)


async def add_staff(
    settings: Settings, role: str, email: str, name: str, site: str, language: str, password: str
) -> None:
    """Raises Conflict when the address has an account."""
    records = await compose.open_records(settings)
    try:
        if await records.staff_by_email(email.strip().lower()) is not None:
            raise Conflict("This e-mail address has an account already")
        where = await site_named(records, site)
        hashed = await Passwords().hash(password)
        await records.add_staff(where.site_id, email.strip().lower(), name, Role(role), language, hashed)
    finally:
        await records.close()


async def verify_audit(settings: Settings) -> int:
    """Number of lines; raises SettingsError without a record, RecordError where the chain breaks."""
    if not settings.master_key_path.exists():
        raise SettingsError("data", "There is no record yet in this folder")
    records = await compose.open_records(settings)
    try:
        return await records.verify_audit()
    finally:
        await records.close()


async def past_retention(settings: Settings, *, remove: bool) -> Counter[str]:
    """What was deleted and is past its retention, by kind; with `remove` it is removed for good.

    Raises SettingsError without a record, RecordError.
    """
    if not settings.master_key_path.exists():
        raise SettingsError("data", "There is no record yet in this folder")
    records = await compose.open_records(settings)
    try:
        now = utc_now()
        found = await records.past_retention(SYSTEM_ACTOR, now)
        if remove:
            await records.remove_past_retention(SYSTEM_ACTOR, now)
            await records.sweep(now)
        return Counter(entry.kind.value for entry in found)
    finally:
        await records.close()
