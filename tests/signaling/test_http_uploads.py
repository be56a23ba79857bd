"""Uploads as tus 1.0.0 over real HTTP, the snapshots that come of them, and what is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.signaling.clinic import Browser, Clinic, Reply, still, upload

TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


async def create(browser: Browser, body: bytes, owner_id: str, **about: Any) -> Reply:
    asked = {
        "purpose": "snapshot",
        "owner_id": owner_id,
        "size_bytes": len(body),
        "media_type": "image/jpeg",
        "method": "file",
        **about,
    }
    return await browser.post("/api/uploads", asked)


async def patch(browser: Browser, location: str, offset: int, data: bytes) -> Reply:
    return await browser.ask("PATCH", location, data=data, headers={**TUS, "Upload-Offset": str(offset)})


async def test_a_referral_photo_in_pieces(clinic: Clinic) -> None:
    referrer = await clinic.signed_in(clinic.referrer)
    referral = await clinic.referral(referrer)
    body = still()
    created = await create(referrer, body, referral["referral_id"], purpose="referral_photo")
    location = created.headers["Location"]
    assert (created.status, created.headers["Tus-Resumable"]) == (201, "1.0.0")
    assert created.json["offset_bytes"] == 0

    first = await patch(referrer, location, 0, body[:1000])
    assert (first.status, first.headers["Upload-Offset"]) == (204, "1000")
    wrong = await patch(referrer, location, 0, body[:500])
    assert (wrong.status, wrong.error_id) == (409, "upload.offset_mismatch")
    assert wrong.headers["Upload-Offset"] == "1000"
    head = await referrer.ask("HEAD", location)
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == ("1000", str(len(body)))
    last = await patch(referrer, location, 1000, body[1000:])
    assert last.status == 204
    snapshot_id = last.headers["Snapshot-Id"]
    again = await patch(referrer, location, len(body), b"")
    assert again.headers["Snapshot-Id"] == snapshot_id
    assert (await referrer.get(location)).json["snapshot_id"] == snapshot_id

    await clinic.server.stills.settle()
    shown = (await referrer.get(f"/api/referrals/{referral['referral_id']}")).json
    [photo] = shown["photos"]
    assert photo["sha256"] == hashlib.sha256(body).hexdigest()
    assert sorted(photo["variants"]) == ["display", "original", "thumbnail"]
    assert photo["calibration"] is None
    assert photo["quality"]["verdict"] in ("retake", "not_measurable")
    assert (photo["quality"]["chart_visible"], photo["quality"]["px_per_mm"]) == (False, None)

    # A specialist sees the photos of a referral that nobody accepted yet; other sites do not.
    path = f"/api/snapshots/{snapshot_id}"
    original = await (await clinic.signed_in(clinic.other_specialist)).get(f"{path}/original")
    assert (original.status, original.body) == (200, body)
    assert original.headers["Content-Type"] == "image/jpeg"
    assert original.headers["Cache-Control"] == "private, no-store"
    assert original.headers["X-Content-Type-Options"] == "nosniff"
    assert original.headers["Content-Disposition"].startswith('inline; filename="')
    assert (await referrer.get(f"{path}/thumbnail")).status == 200
    assert (await referrer.get(f"{path}/corrected")).error_id == "record.not_found"
    assert (await referrer.get(f"{path}/other")).error_id == "request.not_found"
    stranger = await clinic.signed_in(clinic.other_referrer)
    assert (await stranger.get(f"{path}/original")).error_id == "access.denied"
    assert (await clinic.browser().get(f"{path}/original")).error_id == "access.sign_in"


async def test_options_say_what_is_spoken(clinic: Clinic) -> None:
    reply = await clinic.browser().ask("OPTIONS", "/api/uploads")
    assert (reply.status, reply.headers["Tus-Version"]) == (204, "1.0.0")
    assert reply.headers["Tus-Max-Size"] == str(clinic.server.settings.max_upload_bytes)


async def test_only_inside_the_call(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    body = still()
    for browser in (consulted.patient, consulted.referrer):
        assert (await create(browser, body, consulted.consultation_id)).error_id == "access.denied"
    await consulted.in_call()
    created, patched = await upload(consulted.patient, body, consulted.consultation_id)
    assert (created.status, patched.status) == (201, 204)
    for browser in (consulted.referrer, await clinic.signed_in(clinic.other_specialist)):
        assert (await create(browser, body, consulted.consultation_id)).error_id == "access.denied"
        assert (await browser.ask("HEAD", created.headers["Location"])).status == 403
        assert (await browser.ask("DELETE", created.headers["Location"])).error_id == "access.denied"


async def test_an_upload_survives_the_end_and_a_restart(tmp_path: Path) -> None:
    body = still(width=640, height=480)
    async with Clinic.open(tmp_path) as clinic:
        consulted = await clinic.consultation()
        specialist, _ = await consulted.in_call()
        created = await create(consulted.patient, body, consulted.consultation_id)
        location = created.headers["Location"]
        await patch(consulted.patient, location, 0, body[:5000])
        await specialist.call("end")
    async with Clinic.open(tmp_path) as clinic:
        patient = clinic.browser(consulted.token)
        assert (await patient.ask("HEAD", location)).headers["Upload-Offset"] == "5000"
        done = await patch(patient, location, 5000, body[5000:])
        assert done.status == 204
        late = await create(patient, body, consulted.consultation_id)
        assert late.error_id == "access.denied"


@pytest.mark.parametrize(
    ("body", "about", "error_id"),
    [
        (b"GIF89a" + bytes(50), {}, "upload.not_an_image"),
        (b"\xff\xd8\xff" + bytes(500), {}, "upload.not_an_image"),
        (still(), {"sha256": "0" * 64}, "upload.hash_mismatch"),
    ],
)
async def test_bytes_that_are_refused_become_nothing(
    clinic: Clinic, body: bytes, about: dict[str, Any], error_id: str
) -> None:
    referrer = await clinic.signed_in(clinic.referrer)
    referral = await clinic.referral(referrer)
    created = await create(referrer, body, referral["referral_id"], purpose="referral_photo", **about)
    patched = await patch(referrer, created.headers["Location"], 0, body)
    assert patched.error_id == error_id
    assert (await referrer.get(f"/api/referrals/{referral['referral_id']}")).json["photos"] == []
    # Its bytes are gone; a page that did not hear the answer is told so, and may begin again.
    assert (await referrer.ask("HEAD", created.headers["Location"])).status == 404
    assert (await referrer.get(created.headers["Location"])).error_id == "record.not_found"


async def test_bad_requests_about_uploads(clinic: Clinic) -> None:
    referrer = await clinic.signed_in(clinic.referrer)
    owner_id = (await clinic.referral(referrer))["referral_id"]
    body = still()

    async def refused(**about: Any) -> str:
        asked = {"purpose": "referral_photo", "owner_id": owner_id, **about}
        return (await create(referrer, body, **asked)).error_id

    assert await refused(size_bytes=10**9) == "upload.too_large"
    assert await refused(size_bytes=0) == "request.malformed"
    assert await refused(method="relay_frame") == "request.malformed"
    assert await refused(taken_at="2026-01-01T00:00:00") == "request.malformed"
    assert await refused(settings={str(n): n for n in range(100)}) == "request.malformed"
    assert await refused(settings={"x": "y" * 300}) == "request.malformed"
    assert await refused(owner_id="nobody") == "record.not_found"
    created = await create(referrer, body, owner_id, purpose="referral_photo")
    location = created.headers["Location"]
    for offset in ("", "-1", "x", "9" * 20):
        reply = await referrer.ask("PATCH", location, data=b"x", headers={**TUS, "Upload-Offset": offset})
        assert reply.error_id == "upload.incomplete_headers"
    assert (await patch(referrer, location, 0, body + b"more")).error_id == "upload.too_large"
    typed = await referrer.ask(
        "PATCH", location, data=b"x", headers={"Content-Type": "application/json", "Upload-Offset": "0"}
    )
    assert typed.error_id == "request.media_type"
    assert (await referrer.ask("DELETE", location)).status == 204
    assert (await referrer.ask("HEAD", location)).status == 404
