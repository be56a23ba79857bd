"""HTTP doors of the web interface's built files, the landing page, health and metrics."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
from pathlib import Path

from aiohttp import hdrs, web

from signaling.errors import Refusal
from signaling.http_base import content_security_policy, services

_STYLE = (
    "body{font:18px/1.6 system-ui,sans-serif;color:#222;background:#eee;margin:0;display:grid;"
    "min-height:100vh;place-items:center}main{background:#fff;padding:2rem;max-width:26rem;margin:1rem}"
    "h1{margin:0 0 .5rem;font-size:1.6rem}a{display:block;margin:.8rem 0;padding:.8rem 1rem;color:#111;"
    "border:2px solid #444;text-decoration:none}a:hover,a:focus{background:#222;color:#fff}"
)
_LANDING = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>TrueHue</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>
<body><main><h1>TrueHue</h1><p>Teleconsultation for dermatology.
<span lang="zh">皮肤科远程会诊。</span></p>
<a href="/s/">Specialist <span lang="zh">专科医生</span></a>
<a href="/r/">Referring practice <span lang="zh">转诊诊所</span></a>
<p>Patients open the personal link that the clinic sent them.
<span lang="zh">患者请打开诊所发送的个人链接。</span></p></main></body></html>
"""
_STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_PAGES = ("p", "s", "r")
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_IMMUTABLE = "public, max-age=31536000, immutable"


async def landing(request: web.Request) -> web.Response:
    """GET /"""
    return web.Response(
        text=_LANDING,
        content_type="text/html",
        headers={
            hdrs.CACHE_CONTROL: "no-cache",
            "Content-Security-Policy": content_security_policy(request, _STYLE_HASH),
        },
    )


async def page(request: web.Request) -> web.StreamResponse:
    """GET /p/, /s/, /r/"""
    return _file(request, f"{request.match_info['page']}/index.html", "no-cache")


async def to_page(request: web.Request) -> web.Response:
    """GET /p, /s, /r; the browser keeps the fragment."""
    return web.Response(status=308, headers={hdrs.LOCATION: f"/{request.match_info['page']}/"})


async def asset(request: web.Request) -> web.StreamResponse:
    """GET /assets/...: names carry a hash of the content, so they never change."""
    return _file(request, f"assets/{request.match_info['path']}", _IMMUTABLE)


async def other_file(request: web.Request) -> web.StreamResponse:
    """GET of a file beside the pages: icons, a manifest, a service worker."""
    return _file(request, request.match_info["name"], "no-cache")


def _file(request: web.Request, name: str, cache_control: str) -> web.StreamResponse:
    """A built file, in the smallest encoding that was built and is accepted."""
    root: Path = services(request).ui_dir
    if not root.is_dir():
        raise Refusal("server.no_interface")
    path = (root / name).resolve()
    if root.resolve() not in path.parents or not path.is_file():
        raise Refusal("request.not_found")
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if media_type.startswith("text/") or media_type == "application/javascript":
        media_type = "text/javascript" if media_type.endswith("javascript") else media_type
    headers = {
        hdrs.CACHE_CONTROL: cache_control,
        hdrs.VARY: hdrs.ACCEPT_ENCODING,
        hdrs.CONTENT_TYPE: f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type,
    }
    accepted = {
        part.split(";")[0].strip() for part in request.headers.get(hdrs.ACCEPT_ENCODING, "").split(",")
    }
    for encoding, ending in _ENCODINGS:
        packed = path.with_name(path.name + ending)
        if encoding in accepted and packed.is_file():
            headers[hdrs.CONTENT_ENCODING] = encoding
            return web.Response(body=packed.read_bytes(), headers=headers)
    return web.Response(body=path.read_bytes(), headers=headers)


async def health(request: web.Request) -> web.Response:
    """GET /healthz: 200 while it serves; says when the last backup succeeded, where there are backups."""
    health: dict[str, object] = {"status": "ok"}
    if (backups := services(request).backups) is not None:
        last = backups.last_success
        health["backup"] = {"last_success": None if last is None else last.isoformat(), "late": backups.late}
    return web.json_response(health, headers={hdrs.CACHE_CONTROL: "no-store"})


async def metrics(request: web.Request) -> web.Response:
    """GET /metrics"""
    return web.Response(
        body=services(request).metrics.text(),
        headers={hdrs.CONTENT_TYPE: "text/plain; version=0.0.4; charset=utf-8"},
    )


def page_routes() -> list[web.RouteDef]:
    """The routes of this file."""
    pages = "|".join(_PAGES)
    return [
        web.get("/healthz", health),
        web.get("/metrics", metrics),
        web.get("/", landing),
        web.get(f"/{{page:{pages}}}", to_page),
        web.get(f"/{{page:{pages}}}/", page),
        web.get("/assets/{path:.+}", asset),
        web.get(r"/{name:[A-Za-z0-9_-]+\.(ico|png|svg|webmanifest|js|txt)}", other_file),
    ]
