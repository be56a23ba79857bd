"""The composition root: the one file that knows every part, and makes one running server of them."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

import colorcal
import consult_ui
from colorcal import skin_color
from media import native
from media.interface import MediaConfig, Relay
from media.simulated.patient import PatientOptions
from media.simulated.patient import run as run_patient
from media.worker import MediaWorker
from records import images
from records.backup import back_up
from records.interface import BackedUp, BackupFacts, Records, RecordsConfig, Restored, RetentionPolicy
from records.keys import KeyRing
from records.restore import check_backup, list_backups, restore
from records.rotation import rotate
from records.store import RecordStore
from signaling.app import bind_consultation, bind_worklist, make_app
from signaling.auth import Auth, Passwords
from signaling.backups import Backups
from signaling.bus import Bus, LocalBus, RedisBus
from signaling.color_jobs import ColorFunctions
from signaling.color_workers import ColorWorkers
from signaling.keys import load_master_key, load_or_make_master_key
from signaling.lease import Lease, OnlyNode, RedisLease
from signaling.lesion_measuring import LesionMeasuring
from signaling.live import CONSULTATION, WORKLIST, SocketLive, make_server
from signaling.mail import Mailer
from signaling.messages import IceServer
from signaling.metrics import Metrics
from signaling.reading import Reader
from signaling.room_calibration import RoomCalibrations
from signaling.room_capture import RoomCaptures
from signaling.room_doors import RoomDoors
from signaling.room_quality import RoomQuality
from signaling.room_steps import RoomSteps
from signaling.room_viewers import RoomViewers
from signaling.rooms import GRACE_S, Rooms
from signaling.services import IceServers, Services
from signaling.settings import Settings, SettingsError
from signaling.stills import Stills
from signaling.upkeep import Upkeep
from signaling.worklists import Worklists
from turn.coturn_config import CoturnConfig, render
from turn.credentials import credentials
from turn.probe import InvalidTurnUrl, Outcome, probe
from turn.urls import offered_urls

log = structlog.get_logger()

INTERFACE_DIR = Path(consult_ui.__file__).parent / "dist"
"""The built web interface."""


def utc_now() -> datetime:
    """The clock of a server."""
    return datetime.now(UTC)


@dataclass(slots=True)
class RunningServer:
    """A server that serves. `stop` ends everything that it started."""

    settings: Settings
    url: str
    port: int
    records: Records
    relay: Relay
    auth: Auth
    stills: Stills
    rooms: Rooms
    bus: Bus
    _services: Services = field(repr=False)
    _stack: AsyncExitStack = field(repr=False)

    def use_public_url(self, url: str) -> None:
        """From now on make personal links with this address."""
        self.url = url
        self._services.public_url = url

    async def stop(self) -> None:
        """Close connections, ports, workers and the record, in this order."""
        await self._stack.aclose()


def records_config(settings: Settings) -> RecordsConfig:
    """Where the record lies; makes the data folder and, at the first start, the master key."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = not settings.master_key_file
    old = settings.old_master_key_path
    return RecordsConfig(
        database_url=settings.database,
        blob_dir=str(settings.data_dir / "blobs"),
        master_key=load_or_make_master_key(settings.master_key_path, may_make=fresh),
        max_upload_bytes=settings.max_upload_bytes,
        old_master_keys=() if old is None else (load_master_key(old, "old_master_key_file"),),
        blobs_url=settings.blobs_url,
        retention=RetentionPolicy(
            settings.keep_clinical_years, settings.keep_document_years, settings.keep_working_years
        ),
    )


async def open_records(settings: Settings) -> RecordStore:
    """The record of these settings. Raises RecordError, SettingsError."""
    return await RecordStore.open(records_config(settings))


def color_functions(layout: str = "auto", pitch_mm: float = 0.0, card_prints: str = "") -> ColorFunctions:
    """What colorcal and the record's images offer to worker processes.

    layout: the chart in use, "auto" if any. pitch_mm: as measured on it; 0: what is known of the product.
    card_prints: file of the consult card's measured print batches. Raises SettingsError.
    """
    try:
        declared = None
        if layout != "auto":
            declared = colorcal.DeclaredChart(layout, pitch_mm or None)
        elif pitch_mm:
            raise SettingsError("chart_pitch_mm", "it is the pitch of the chart that chart_layout names")
    except colorcal.ColorInputError as error:
        raise SettingsError("chart_pitch_mm" if pitch_mm else "chart_layout", str(error)) from error
    try:
        prints = colorcal.read_prints(Path(card_prints).read_bytes()) if card_prints else {}
    except (colorcal.ColorInputError, OSError) as error:
        raise SettingsError("card_prints", str(error)) from error
    return ColorFunctions(
        detect_chart=partial(colorcal.detect_chart, declared=declared),
        track_chart=colorcal.track_chart,
        make_steady=colorcal.SteadyCalibration,
        make_light_watch=colorcal.LightWatch,
        calibrate=partial(colorcal.calibrate, prints=prints),
        judge_still=colorcal.judge_still,
        sample_patches=colorcal.sample_patches,
        calibrate_samples=partial(colorcal.calibrate_samples, prints=prints),
        matrix_mix_up=partial(colorcal.matrix_mix_up, prints=prints),
        compare_decoders=colorcal.compare_decoders,
        to_srgb=images.to_srgb,
        encode_derived=images.encode_derived,
    )


def consult_card(batch: int) -> bytes:
    """The consult card as a PDF; raises ValueError for a batch that there cannot be."""
    from colorcal.card_pdf import card_pdf  # its library takes a while to import

    return card_pdf(batch)


async def start(settings: Settings, *, ui_dir: Path | None = None, grace_s: float = GRACE_S) -> RunningServer:
    """Start every part. ui_dir: the built web interface, if not the one in the package.

    Raises SettingsError, RecordError, OSError (a port is taken); nothing is left running then.
    """
    stack = AsyncExitStack()
    try:
        return await _start(settings, ui_dir, grace_s, stack)
    except BaseException:
        await stack.aclose()
        raise


def why_not_native() -> str | None:
    """Why this server cannot relay packets in C, or None when it can."""
    return native.why_not()


async def _start(
    settings: Settings, ui_dir: Path | None, grace_s: float, stack: AsyncExitStack
) -> RunningServer:
    tls = _tls(settings)
    records = await open_records(settings)
    stack.push_async_callback(records.close)
    stack.push_async_callback(Upkeep(records, utc_now).stop)
    backups = _backups(settings)
    if backups is not None:
        stack.push_async_callback(backups.stop)
    bus, lease = await _cluster(settings, stack)
    workers = ColorWorkers()
    stack.push_async_callback(workers.stop)
    functions = color_functions(settings.chart_layout, settings.chart_pitch_mm, settings.card_prints)
    stills = Stills(records, bus, workers, functions, utc_now)
    stack.push_async_callback(stills.stop)
    relay = await MediaWorker.start(
        MediaConfig(
            bind_host=settings.media_host,
            port=settings.media_port,
            announced_addresses=settings.media_addresses,
            max_publication_bps=settings.camera_max_bps,
            native=settings.native,
        )
    )
    stack.push_async_callback(relay.stop)

    server = make_server()
    live = SocketLive(server, CONSULTATION)
    rooms: Rooms
    reader = Reader(records, lambda consultation_id, one: rooms.is_present(consultation_id, one))
    steps = RoomSteps(records, relay, utc_now)
    rooms = Rooms(
        records,
        relay,
        bus,
        lease,
        steps,
        utc_now,
        reader.staff_name,
        grace_s,
        settings.chroma_emphasis == "auto",
    )
    captures = RoomCaptures(rooms, relay, records, stills, live, utc_now)
    viewers = RoomViewers(rooms, workers, functions, live)
    calibrations = RoomCalibrations(rooms, relay, workers, functions, viewers, utc_now)
    quality = RoomQuality(rooms, relay, live)
    rooms.attach(live, captures, calibrations, quality)
    worklists = Worklists(reader, bus, SocketLive(server, WORKLIST), utc_now)
    for part in (captures.stop, calibrations.stop, quality.stop, worklists.stop, rooms.stop):
        stack.push_async_callback(part)

    metrics = Metrics()
    metrics.follow(lambda: rooms.count, relay.stats)
    if backups is not None:
        metrics.follow_backups(lambda: backups.last_success)
    services = Services(
        settings=settings,
        records=records,
        auth=Auth(records, Passwords(), timedelta(hours=settings.session_hours)),
        reader=reader,
        stills=stills,
        measuring=LesionMeasuring(records, images.to_srgb, skin_color.measure_outline),
        bus=bus,
        mailer=Mailer(settings.smtp_url, settings.mail_from) if settings.smtp_url else None,
        ice_servers=_ice_servers(settings),
        metrics=metrics,
        clock=utc_now,
        backups=backups,
        ui_dir=ui_dir if ui_dir is not None else INTERFACE_DIR,
    )
    app = make_app(services)
    doors = RoomDoors(rooms, steps, relay, bus, live)
    bind_consultation(server, services, rooms, doors, captures, quality, viewers, live)
    bind_worklist(server, worklists)
    server.attach(app)
    port = await _listen(app, settings, tls, stack)
    stack.push_async_callback(_hang_up, server)
    services.public_url = settings.public_url or _own_url(settings, port, tls is not None)
    log.info("serving", port=port, media_port=relay.port)
    return RunningServer(
        settings,
        services.public_url,
        port,
        records,
        relay,
        services.auth,
        stills,
        rooms,
        bus,
        services,
        stack,
    )


def _backups(settings: Settings) -> Backups | None:
    """The nightly backup, where a place for it is set."""
    if not settings.backup_to:
        return None

    async def back_up_now(now: datetime) -> BackedUp:
        return await make_backup(settings, settings.backup_to, now)

    async def latest() -> datetime | None:
        return await latest_backup(settings, settings.backup_to)

    return Backups(back_up_now, latest, utc_now, settings.backup_time)


async def make_backup(settings: Settings, place: str, now: datetime) -> BackedUp:
    """Back the record up to a folder or an S3 server, also while a server runs. Raises RecordError."""
    return await back_up(records_config(settings), place, now, settings.backup_keep_days)


async def latest_backup(settings: Settings, place: str) -> datetime | None:
    """When the last backup that these settings' keys open was made. Raises RecordError."""
    config = records_config(settings)
    ids = KeyRing(config.master_key, config.old_master_keys).master_key_ids
    made = [one.created_at for one in await list_backups(place) if one.master_key_id in ids]
    return max(made, default=None)


async def backups_at(place: str) -> Sequence[BackupFacts]:
    """Whole backups at a place, oldest first. Raises RecordError."""
    return await list_backups(place)


async def restore_backup(settings: Settings, place: str, backup_id: str | None, check: bool) -> Restored:
    """Restore a backup (the latest by default) into an empty installation, or check it."""
    return await (check_backup if check else restore)(records_config(settings), place, backup_id)


async def _cluster(settings: Settings, stack: AsyncExitStack) -> tuple[Bus, Lease]:
    """One node, or several that tell each other through Redis."""
    if not settings.redis_url:
        return LocalBus(), OnlyNode()
    node_name = settings.node_name or f"{socket.gethostname()}-{os.getpid()}"
    redis = Redis.from_url(settings.redis_url, socket_connect_timeout=5, health_check_interval=15)
    stack.push_async_callback(redis.aclose)
    try:
        await redis.ping()
    except (RedisError, OSError) as error:
        raise SettingsError("redis_url", "Redis does not answer") from error
    bus = RedisBus(redis, node_name)
    stack.push_async_callback(bus.stop)
    await bus.ready()
    return bus, RedisLease(redis, node_name)


async def _listen(
    app: web.Application, settings: Settings, tls: ssl.SSLContext | None, stack: AsyncExitStack
) -> int:
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=2.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, settings.http_host, settings.http_port, ssl_context=tls)
    await site.start()
    port: int = runner.addresses[0][1]
    return port


async def _hang_up(server: object) -> None:
    """End every Socket.IO connection and the server's own tasks, before the listener closes."""
    sockets = list(server.eio.sockets.values())  # type: ignore[attr-defined]
    await asyncio.gather(*(one.close(wait=False) for one in sockets), return_exceptions=True)
    await server.shutdown()  # type: ignore[attr-defined]


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError("tls_cert", "certificate and key cannot be used") from error
    return context


def _own_url(settings: Settings, port: int, tls: bool) -> str:
    host = settings.http_host
    if host in ("0.0.0.0", "::", "127.0.0.1", "::1", ""):  # noqa: S104 - compared with, not bound to
        host = "localhost"
    elif ":" in host:
        host = f"[{host}]"
    return f"{'https' if tls else 'http'}://{host}:{port}"


def turn_urls(settings: Settings) -> tuple[str, ...]:
    """What browsers are given. Raises SettingsError."""
    try:
        return offered_urls(settings.turn_urls, settings.turn_tls_port if settings.turn_tls_cert else None)
    except InvalidTurnUrl as error:
        raise SettingsError("turn_urls", str(error)) from error


def _ice_servers(settings: Settings) -> IceServers:
    urls = turn_urls(settings)

    def servers(user_id: str, now: datetime) -> list[IceServer]:
        if not urls:
            return []
        given = credentials(settings.turn_secret, user_id, int(now.timestamp()), settings.turn_ttl_s, urls)
        return [IceServer(list(given.urls), given.username, given.credential)]

    return servers


async def probe_turn(settings: Settings, url: str) -> tuple[bool, str]:
    """Whether a TURN server relays with these settings, and words."""
    now = int(utc_now().timestamp())
    result = await probe(url, credentials(settings.turn_secret, "doctor", now, 300, (url,)))
    return result.outcome is Outcome.REACHABLE, result.words


def coturn_configuration(settings: Settings, external_ip: str) -> str:
    """turnserver.conf of these settings; the media worker's addresses are the only peers.

    external_ip: the public address behind a NAT, or empty. Raises ValueError, naming the field.
    """
    return render(
        CoturnConfig(
            secret=settings.turn_secret,
            realm=urlsplit(settings.public_url).hostname or "truehue",
            external_ips=(external_ip,) if external_ip else (),
            allowed_peers=settings.media_addresses,
            tls_port=settings.turn_tls_port,
            tls_cert=settings.turn_tls_cert,
            tls_key=settings.turn_tls_key,
        )
    )


async def simulate(link: str, stop: asyncio.Event) -> None:
    """A simulated patient at a personal link, until the consultation has ended or stop is set."""
    await run_patient(link, PatientOptions(), stop)


@dataclass(frozen=True, slots=True)
class RotatedKey:
    """A rotation that has ended: ids of the two master keys, and how many data keys this run wrapped anew."""

    key_id: str
    old_key_id: str
    data_keys: int


async def rotate_master_key(settings: Settings) -> RotatedKey:
    """Wrap everything anew that is wrapped under the old master key of these settings. Raises RecordError."""
    config = records_config(settings)
    if not config.old_master_keys:
        raise SettingsError("old_master_key_file", "is needed to wrap keys anew")
    old = KeyRing(config.old_master_keys[0]).master_key_id
    # Brings the schema to this version, and refuses keys of which nobody knows the master key.
    await (await RecordStore.open(config)).close()
    return RotatedKey(KeyRing(config.master_key).master_key_id, old, await rotate(config))
