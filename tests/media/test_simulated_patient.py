"""The simulated patient against a small clinic with a real relay: it does what a phone's page does."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pytest
from aiortc import MediaStreamTrack
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from media.emphasis import SKIN
from media.interface import Source, TappedFrame
from media.simulated.call import Call
from media.simulated.patient import PatientOptions, run
from media.simulated.placeholder import Placeholder
from media.simulated.scene import Scene, SceneOptions
from media.simulated.still import MODEL
from media.simulated.tracks import RoomTone, SceneTrack
from media.simulated.wire import Link, LinkRefused, Negotiated, PatientError, RoomPublication, State, read
from tests.media.clinic import PATIENT, ROOM, TOKEN, Clinic, open_clinic
from tests.media.rtc_peer import relay

SCENE = SceneOptions(width_px=640, height_px=360)
OPTIONS = PatientOptions(scene=SCENE, fps=10, still_size_px=(800, 600), score=4, words="ok")


@asynccontextmanager
async def living(clinic: Clinic, options: PatientOptions = OPTIONS) -> AsyncIterator[asyncio.Task[None]]:
    """A patient who opens the clinic's link, and is stopped in the end."""
    stop = asyncio.Event()
    task = asyncio.create_task(run(clinic.link, options, stop))
    try:
        yield task
    finally:
        stop.set()
        with suppress(PatientError):
            await task


@asynccontextmanager
async def clinic_with_patient() -> AsyncIterator[tuple[Clinic, asyncio.Task[None]]]:
    async with relay() as worker, open_clinic(worker) as clinic, living(clinic) as task:
        yield clinic, task


async def in_call(clinic: Clinic) -> None:
    await clinic.until(lambda: clinic.admission == "waiting")
    await clinic.admit()
    await clinic.until(lambda: len(clinic.publications()) == 2)


async def tapped(clinic: Clinic) -> TappedFrame:
    camera = clinic.camera()
    assert camera is not None
    first: asyncio.Future[TappedFrame] = asyncio.get_running_loop().create_future()
    end = clinic.worker.watch(
        camera.publication_id, lambda frame: None if first.done() else first.set_result(frame)
    )
    try:
        return await asyncio.wait_for(first, 30)
    finally:
        end()


async def test_it_consents_knocks_and_waits() -> None:
    async with clinic_with_patient() as (clinic, task):
        await clinic.until(lambda: clinic.admission == "waiting")
        assert clinic.consent is not None
        assert (clinic.consent.language, clinic.consent.purposes) == ("zh", ["care"])
        assert clinic.knocks == 1
        assert clinic.negotiations == []
        assert not task.done()


async def test_admitted_it_shows_its_arm() -> None:
    async with clinic_with_patient() as (clinic, _):
        await in_call(clinic)
        assert {p.source for p in clinic.publications()} == {Source.CAMERA, Source.MICROPHONE}
        frame = await tapped(clinic)
        assert frame.rgb.shape == (360, 640, 3)
        # The hand moves a few pixels: the middles of patches and regions hold still enough.
        scene = Scene(SCENE)
        truth, sent = scene.truth(0.0), scene.frame(0.0)
        x, y = truth.chart_centers.round().astype(int).T
        difference = frame.rgb[y, x].astype(int) - sent[y, x].astype(int)
        assert np.median(np.abs(difference)) < 6
        for region in truth.regions:
            x0, y0, x1, y1 = region.box
            expected = sent[y0:y1, x0:x1].mean(axis=(0, 1))
            assert np.abs(frame.rgb[y0:y1, x0:x1].mean(axis=(0, 1)) - expected).max() < 8


async def test_it_stretches_chroma_as_agreed_and_what_is_tapped_has_its_colors() -> None:
    async with relay() as worker, open_clinic(worker) as clinic:
        clinic.emphasis_version = SKIN.version
        async with living(clinic):
            await in_call(clinic)
            camera = clinic.camera()
            assert camera is not None
            assert camera.emphasis == SKIN
            scene = Scene(SCENE)
            sent = scene.frame(0.0)
            for _ in range(2):
                frame = await tapped(clinic)
                for region in scene.truth(0.0).regions:
                    x0, y0, x1, y1 = region.box
                    expected = sent[y0:y1, x0:x1].mean(axis=(0, 1))
                    assert np.abs(frame.rgb[y0:y1, x0:x1].mean(axis=(0, 1)) - expected).max() < 8
                # Somebody comes who cannot undo it: another Publication, and the same colors.
                clinic.emphasis_version = 0
                await clinic.push()
                await clinic.until(lambda: (now := clinic.camera()) is not None and now.emphasis is None)


async def test_it_sends_a_still_through_a_connection_that_breaks() -> None:
    async with clinic_with_patient() as (clinic, _):
        await in_call(clinic)
        clinic.drop_patches = 1
        await clinic.take()
        await clinic.until(lambda: clinic.upload is not None and len(clinic.body) == clinic.upload.size_bytes)
        assert clinic.upload is not None
        assert hashlib.sha256(clinic.body).hexdigest() == clinic.upload.sha256
        assert (clinic.upload.method, clinic.upload.device) == ("take_photo", MODEL)
        assert clinic.upload.capture_id == "capture1"
        assert Image.open(BytesIO(clinic.body)).size == (800, 600)
        await clinic.until(
            lambda: bool(clinic.progress) and clinic.progress[-1].sent_bytes == len(clinic.body)
        )
        # How often it says so depends on how long the picture takes.
        assert [state for state, _ in itertools.groupby(p.state for p in clinic.progress)] == [
            "taking",
            "uploading",
        ]
        assert clinic.failures == []


async def test_a_refused_upload_is_told() -> None:
    async with clinic_with_patient() as (clinic, _):
        await in_call(clinic)
        clinic.refuse_uploads = True
        await clinic.take()
        await clinic.until(lambda: bool(clinic.failures))
        assert clinic.failures[0].reason == "upload_failed"


async def test_dropped_it_comes_back_without_knocking() -> None:
    async with clinic_with_patient() as (clinic, _):
        await in_call(clinic)
        await clinic.drop_socket()
        await clinic.until(lambda: clinic.connections == 2)
        await clinic.take()
        await clinic.until(lambda: bool(clinic.progress))
        assert clinic.knocks == 1
        assert len(clinic.publications()) == 2


async def test_a_server_that_knows_no_call_gets_a_new_one() -> None:
    async with clinic_with_patient() as (clinic, _):
        await in_call(clinic)
        negotiated = len(clinic.negotiations)
        clinic.lost_media = True
        await clinic.drop_socket()
        await clinic.until(lambda: len(clinic.negotiations) > negotiated)
        assert fingerprint(clinic.negotiations[0].sdp) != fingerprint(clinic.negotiations[-1].sdp)
        await clinic.until(lambda: len(clinic.publications()) == 2)


def fingerprint(sdp: str) -> set[str]:
    return {line for line in sdp.splitlines() if line.startswith("a=fingerprint:")}


async def test_sent_back_it_waits_and_admitted_again_it_calls_again() -> None:
    async with clinic_with_patient() as (clinic, task):
        await in_call(clinic)
        await clinic.move("sent_back")
        await clinic.until(lambda: clinic.publications() == ())
        await clinic.admit()
        await clinic.until(lambda: len(clinic.publications()) == 2)
        assert clinic.knocks == 1
        assert not task.done()


async def test_after_the_end_it_says_thanks_and_goes() -> None:
    async with clinic_with_patient() as (clinic, task):
        await in_call(clinic)
        await clinic.end()
        await asyncio.wait_for(task, 30)
        assert clinic.satisfaction is not None
        assert (clinic.satisfaction.score, clinic.satisfaction.words) == (4, "ok")


async def test_refused_it_goes() -> None:
    async with clinic_with_patient() as (clinic, task):
        await clinic.until(lambda: clinic.admission == "waiting")
        await clinic.move("refused")
        await asyncio.wait_for(task, 30)
        assert clinic.satisfaction is None


async def test_a_link_that_opens_nothing_is_an_error() -> None:
    async with relay() as worker, open_clinic(worker) as clinic:
        clinic.revoked = True
        with pytest.raises(LinkRefused) as refused:
            await run(clinic.link, OPTIONS, asyncio.Event())
        assert refused.value.error_id == "link.unknown"
        assert TOKEN not in str(refused.value)


async def test_a_link_that_is_revoked_ends_it() -> None:
    async with clinic_with_patient() as (clinic, task):
        await clinic.until(lambda: clinic.admission == "waiting")
        clinic.revoked = True
        await clinic.drop_socket()
        with pytest.raises(LinkRefused):
            await asyncio.wait_for(task, 30)


async def test_https_with_a_certificate_of_its_own_works_on_loopback(tmp_path: Path) -> None:
    context = self_signed(tmp_path)
    async with relay() as worker, open_clinic(worker, context) as clinic, living(clinic):
        await clinic.until(lambda: clinic.admission == "waiting")
        assert clinic.link.startswith("https://")


async def test_two_calls_hear_and_see_each_other() -> None:
    async with relay() as worker:
        calls: dict[str, Call] = {}
        agreed: dict[str, dict[str, str]] = {}
        changed = asyncio.Event()

        def call(name: str) -> Call:
            async def negotiate(
                sdp: str, sources: dict[str, str], wanted: dict[str, str], _emphasis: object
            ) -> Negotiated:
                by_mid = {mid: Source(source) for mid, source in sources.items()}
                answer = await worker.negotiate(ROOM, name, sdp, by_mid, wanted, "127.0.0.1")
                agreed[name] = wanted
                return Negotiated(answer.sdp, {})

            tracks: dict[str, MediaStreamTrack] = {
                "camera": SceneTrack(Placeholder(160, 120), 10),
                "microphone": RoomTone(),
            }
            return Call(tracks, [], negotiate, changed.set, True)

        worker.subscribe_events(lambda _event: changed.set())
        try:
            for name in ("a", "b"):
                calls[name] = call(name)
                await calls[name].subscribe([])
            await until(changed, lambda: len(worker.publications(ROOM)) == 4)
            for name, own in calls.items():
                others = [
                    RoomPublication(p.publication_id, p.participant_id, p.kind.value)
                    for p in worker.publications(ROOM)
                    if p.participant_id != name
                ]
                await own.subscribe(others)
                assert set(agreed[name].values()) == {p.publication_id for p in others}
                assert own.connected
            await until(changed, lambda: all(len(own.received_bytes) == 2 for own in calls.values()))
            await calls["a"].subscribe([])
            assert agreed["a"] == {}
        finally:
            for own in calls.values():
                await own.close()
        assert all(own.failed for own in calls.values())


async def until(changed: asyncio.Event, done: object) -> None:
    assert callable(done)
    async with asyncio.timeout(30):
        while not done():
            changed.clear()
            await changed.wait()


class TestLink:
    def test_the_token_is_the_fragment(self) -> None:
        link = Link.parse("https://clinic.example:8443/p/#abc-DEF_123")
        assert link.origin == "https://clinic.example:8443"
        assert link.token == "abc-DEF_123"
        assert not link.on_this_host

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.8.9.1", "demo.localhost"])
    def test_loopback_is_known(self, host: str) -> None:
        assert Link.parse(f"https://{host}/p/#t").on_this_host

    @pytest.mark.parametrize("host", ["127.0.0.1.example", "localhost.example", "192.168.0.1", "10.0.0.1"])
    def test_nothing_else_is_loopback(self, host: str) -> None:
        assert not Link.parse(f"https://{host}/p/#t").on_this_host

    @given(st.text(max_size=60))
    def test_anything_else_is_refused(self, text: str) -> None:
        try:
            link = Link.parse(text)
        except PatientError:
            return
        assert link.token


def test_own_publications_are_not_subscribed_to() -> None:
    def publication(number: int, participant: str) -> dict[str, object]:
        return {
            "publication_id": f"p{number}",
            "participant_id": participant,
            "kind": "video",
            "muted": False,
        }

    state = read(
        {
            "consultation_id": ROOM,
            "phase": "in_call",
            "you": {"participant_id": PATIENT, "admission": "admitted", "media": "none", "more": 1},
            "satisfaction_given": False,
            "publications": [publication(1, PATIENT), publication(2, "doctor")],
        },
        State,
    )
    assert [p.publication_id for p in state.others()] == ["p2"]


@pytest.mark.parametrize("message", [None, [], {}, {"phase": 1}, "state"])
def test_an_unreadable_message_is_a_typed_error(message: object) -> None:
    with pytest.raises(PatientError) as refused:
        read(message, State)
    assert refused.value.error_id == "server.unreadable"


async def test_time_stays_true_in_the_tracks() -> None:
    camera, microphone = SceneTrack(Placeholder(64, 48), 50), RoomTone()
    try:
        video = [await camera.recv() for _ in range(3)]
        audio = [await microphone.recv() for _ in range(3)]
    finally:
        camera.stop()
        microphone.stop()
    assert [frame.pts % 1800 for frame in video if frame.pts is not None] == [0, 0, 0]
    assert video[0].pts == 0
    assert (audio[0].sample_rate, audio[0].samples) == (48000, 960)
    peak = max(int(np.abs(frame.to_ndarray().astype(int)).max()) for frame in audio)
    assert 0 < peak < 328  # below -40 dBFS


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's TLS context with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "tls.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
