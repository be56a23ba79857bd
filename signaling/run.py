"""What the commands do: serve until told to stop, print links, accounts, the audit."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass

import msgspec
import segno

from records.interface import Conflict, Role
from signaling import compose
from signaling.auth import Passwords
from signaling.compose import RunningServer, utc_now
from signaling.demo import Demo
from signaling.first_start import Team, ensure_team, site_named
from signaling.own_certificate import OwnCertificate, lan_addresses, load_or_make
from signaling.settings import Settings, SettingsError

MIN_PASSWORD = 10
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _stop_event() -> asyncio.Event:
    """Set by SIGINT and SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def serve(settings: Settings) -> None:
    """Until a signal."""
    stop = _stop_event()
    async with AsyncExitStack() as stack:
        server = await compose.start(settings)
        stack.push_async_callback(server.stop)
        if settings.demo:
            team = await ensure_team(server.records, demo=True)
            await _start_demo(server, team, stack)
        await stop.wait()


async def run(settings: Settings, *, lan: bool, as_json: bool) -> None:
    """With the embedded defaults: make what is missing, print the links, serve until a signal."""
    stop = _stop_event()
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
            _print(links, base, certificate, demo=settings.demo)
        await stop.wait()


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


@dataclass(frozen=True, slots=True)
class _Links:
    specialist: str
    referrer: str


def _links(server: RunningServer, team: Team, base: str) -> _Links:
    def link(page: str, staff_id: str) -> str:
        return f"{base}/{page}/#sign-in={server.auth.make_sign_in_link(staff_id, utc_now())}"

    return _Links(link("s", team.specialist.staff_id), link("r", team.referrer.staff_id))


def _print(links: _Links, base: str, certificate: OwnCertificate | None, *, demo: bool) -> None:
    print(f"\nTrueHue serves at {base}\n")
    for who, link in (("Specialist", links.specialist), ("Referring practice", links.referrer)):
        print(f"{who} (signs in once, within a day):\n  {link}\n")
        segno.make(link, error="l").terminal(sys.stdout, border=2, compact=True)
        print()
    if demo:
        print("A simulated patient is on the way: open the specialist's link and admit them.\n")
    if certificate is not None:
        print(
            "Phones warn about the certificate, which this server made for itself. Either go on past the\n"
            f"warning, or install {certificate.authority}\n"
            "on the phone as a certificate authority; it can vouch for this machine's addresses\n"
            f"only, and its SHA-256 fingerprint is\n  {certificate.fingerprint}\n"
        )
    print("Stop with Ctrl+C.", flush=True)


async def simulate(link: str) -> None:
    """A simulated patient until the consultation has ended, or a signal."""
    await compose.simulate(link, _stop_event())


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
