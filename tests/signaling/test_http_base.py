"""Every door: security headers, requests of other sites, malformed and oversized input, metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.signaling.clinic import Clinic


async def test_security_headers(clinic: Clinic) -> None:
    browser = clinic.browser()
    host = clinic.url.removeprefix("http://")
    for path in ("/", "/api/me", "/nothing", "/healthz"):
        headers = (await browser.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert f"connect-src 'self' ws://{host}" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "camera=(self), microphone=(self)" in headers["Permissions-Policy"]
        assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", "http://localhost.evil.example:1", "http://localhost:1"]
)
async def test_requests_of_other_sites(clinic: Clinic, origin: str) -> None:
    browser = await clinic.signed_in(clinic.referrer)
    reply = await browser.ask("POST", "/api/referrals", {"x": 1}, headers={"Origin": origin})
    assert (reply.status, reply.error_id) == (403, "request.foreign_origin")
    sign_in = await clinic.browser().ask(
        "POST", "/api/login/link", {"token": "x" * 20}, headers={"Origin": origin}
    )
    assert sign_in.error_id == "request.foreign_origin"


async def test_forms_cannot_speak_to_it(clinic: Clinic) -> None:
    browser = await clinic.signed_in(clinic.referrer)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        reply = await browser.ask("POST", "/api/referrals", data=b"{}", headers={"Content-Type": kind})
        assert (reply.status, reply.error_id) == (415, "request.media_type")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"patient": {}}',
        b"\xff\xfe",
        b"[" * 5000,
        b'{"question": "?", "urgency": "soon", "extra": 1}',
    ],
)
async def test_malformed_bodies(clinic: Clinic, body: bytes) -> None:
    browser = await clinic.signed_in(clinic.referrer)
    reply = await browser.ask(
        "POST", "/api/referrals", data=body, headers={"Content-Type": "application/json"}
    )
    assert (reply.status, reply.error_id) == (400, "request.malformed")
    assert (await browser.get("/api/referrals")).json == {"referrals": []}


async def test_oversized_bodies(clinic: Clinic) -> None:
    browser = await clinic.signed_in(clinic.referrer)
    body = b'{"question": "' + b"x" * 300_000 + b'"}'
    headers = {"Content-Type": "application/json"}
    reply = await browser.ask("POST", "/api/referrals", data=body, headers=headers)
    assert (reply.status, reply.error_id) == (413, "request.too_large")

    async def in_pieces() -> Any:
        for at in range(0, len(body), 10_000):
            yield body[at : at + 10_000]

    reply = await browser.ask("POST", "/api/referrals", data=in_pieces(), headers=headers)
    assert (reply.status, reply.error_id) == (413, "request.too_large")


async def test_unknown_addresses_and_methods(clinic: Clinic) -> None:
    browser = clinic.browser()
    assert (await browser.get("/api/nothing")).error_id == "request.not_found"
    assert (await browser.ask("DELETE", "/api/me")).error_id == "request.method"
    assert (await browser.get("/api/referrals/..%2f..%2fetc")).status == 401


async def test_health_and_metrics(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    await consulted.in_call()
    browser = clinic.browser()
    assert (await browser.get("/healthz")).json == {"status": "ok"}
    text = (await browser.get("/metrics")).body.decode()
    assert "truehue_rooms 1.0" in text
    assert "truehue_media_viewer_packets_lost 0.0" in text
    assert "truehue_media_viewer_frozen_seconds 0.0" in text
    assert 'route="/api/consultations/{consultation_id}/links"' in text
    for secret in ("Ana", "Quispe", consulted.token, consulted.consultation_id):
        assert secret not in text


def built(folder: Path) -> Path:
    for page in ("p", "s", "r"):
        (folder / page).mkdir(parents=True)
        (folder / page / "index.html").write_text(f"<!doctype html><title>{page}</title>")
    (folder / "assets").mkdir()
    (folder / "assets" / "main-abc123.js").write_text("console.log(1)")
    (folder / "assets" / "main-abc123.js.br").write_bytes(b"brotli bytes")
    (folder / "assets" / "main-abc123.js.gz").write_bytes(b"\x1f\x8b gzip bytes")
    (folder / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder.parent / "secret.txt").write_text("not for anybody")
    return folder


async def test_the_pages(tmp_path: Path) -> None:
    async with Clinic.open(tmp_path / "data", ui_dir=built(tmp_path / "dist")) as clinic:
        browser = clinic.browser()
        page = await browser.get("/s/")
        assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert page.headers["Cache-Control"] == "no-cache"
        assert b"<title>s</title>" in page.body
        assert (await browser.get("/s")).headers["Location"] == "/s/"
        assert b'href="/s/"' in (await browser.get("/")).body
        assert (await browser.get("/favicon.svg")).headers["Content-Type"] == "image/svg+xml"
        for accept, encoding in (("br, gzip", "br"), ("gzip", "gzip"), ("identity", None)):
            async with browser.http.get(
                f"{clinic.url}/assets/main-abc123.js",
                headers={"Accept-Encoding": accept},
                auto_decompress=False,
            ) as asset:
                assert asset.headers.get("Content-Encoding") == encoding
                assert "immutable" in asset.headers["Cache-Control"]
                assert asset.headers["Content-Type"] == "text/javascript; charset=utf-8"
        for path in (
            "/assets/..%2f..%2fsecret.txt",
            "/assets/nothing.js",
            "/x/",
            "/assets/%2e%2e/s/index.html",
        ):
            assert (await browser.get(path)).status == 404


async def test_without_a_build_the_pages_say_so(tmp_path: Path) -> None:
    async with Clinic.open(tmp_path / "data", ui_dir=tmp_path / "dist") as clinic:
        reply = await clinic.browser().get("/s/")
        assert (reply.status, reply.error_id) == (503, "server.no_interface")
