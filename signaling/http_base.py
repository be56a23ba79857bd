"""What every HTTP door shares: who asks, decoding and encoding, typed errors, security headers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
import structlog
from aiohttp import hdrs, web

from media.interface import MediaError
from records.interface import RecordError, UploadOffsetMismatch
from signaling.auth import SESSION_COOKIE
from signaling.errors import Refusal, reply, status
from signaling.identity import Identity, token_hash
from signaling.services import SERVICES, Services

log = structlog.get_logger()

MAX_JSON_BYTES = 256 * 1024
JSON_TYPE = "application/json"
TUS_TYPE = "application/offset+octet-stream"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

R = TypeVar("R", bound=msgspec.Struct)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), "
    "screen-wake-lock=(self), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def services(request: web.Request) -> Services:
    """The parts behind the doors."""
    return request.app[SERVICES]


def is_https(request: web.Request) -> bool:
    """Whether the person's browser speaks HTTPS, to us or to the proxy in front."""
    ours = services(request)
    return request.secure or ours.settings.public_url.startswith("https://")


def client_address(request: web.Request) -> str:
    """Where a request comes from: the last address that our own proxies vouch for."""
    proxies = services(request).settings.trusted_proxies
    if proxies:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        if hops:
            return hops[-min(proxies, len(hops))]
    return request.remote or ""


def content_security_policy(request: web.Request, style_hash: str = "") -> str:
    """Own content only; no inline script. Sockets are named for browsers in which 'self' leaves them out."""
    socket = f"{'wss' if is_https(request) else 'ws'}://{request.host}"
    style = f" '{style_hash}'" if style_hash else ""
    return (
        "default-src 'self'; script-src 'self'; "
        f"style-src 'self'{style}; connect-src 'self' {socket}; img-src 'self' blob: data:; "
        "media-src 'self' blob:; font-src 'self'; worker-src 'self' blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


async def identify(request: web.Request) -> Identity:
    """Who asks: a personal link (Authorization: Bearer), else a session cookie, else nobody.

    A request with a cookie that changes something must come from our own pages: same Origin and a content
    type that no form can send. Raises Refusal.
    """
    ours = services(request)
    now = ours.clock()
    authorization = request.headers.get(hdrs.AUTHORIZATION)
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not 16 <= len(token) <= 128:
            raise Refusal("access.link_invalid")
        participant = await ours.records.participant_by_link(token_hash(token), now)
        if participant is None:
            raise Refusal("access.link_invalid")
        return Identity(participant=participant, origin=client_address(request))
    token = request.cookies.get(SESSION_COOKIE, "")
    staff = await ours.auth.session_staff(token, now) if token else None
    if staff is not None and request.method not in SAFE_METHODS:
        check_own_page(request)
    return Identity(staff=staff, origin=client_address(request))


def check_own_page(request: web.Request) -> None:
    """Refuse what another site's page may have sent. Raises Refusal."""
    origin = urlsplit(request.headers.get(hdrs.ORIGIN, ""))
    expected = {request.host, urlsplit(services(request).public_url).netloc}
    if origin.netloc not in expected or (is_https(request) and origin.scheme != "https"):
        raise Refusal("request.foreign_origin")
    if request.method != "DELETE" and request.content_type not in (JSON_TYPE, TUS_TYPE):
        raise Refusal("request.media_type")


async def read_json(request: web.Request, kind: type[R]) -> R:
    """The body as a request message. Raises Refusal, msgspec.ValidationError."""
    if request.content_type != JSON_TYPE:
        raise Refusal("request.media_type")
    if request.content_length is not None and request.content_length > MAX_JSON_BYTES:
        raise Refusal("request.too_large")
    return msgspec.json.decode(await request.read(), type=kind)


def json_response(message: msgspec.Struct, status_code: int = 200) -> web.Response:
    """A message as JSON that nobody keeps."""
    return web.Response(
        body=msgspec.json.encode(message),
        status=status_code,
        content_type=JSON_TYPE,
        headers={hdrs.CACHE_CONTROL: "private, no-store"},
    )


def error_response(error_id: str) -> web.Response:
    """A refusal as JSON."""
    return json_response(reply(error_id), status(error_id))


@web.middleware
async def outermost(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Typed errors, security headers, a log line and a count: by route, never by address or content."""
    began = time.monotonic()
    response = await _answered(request, handler)
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", content_security_policy(request))
    route = request.match_info.route.resource
    path = route.canonical if route is not None else "unknown"
    seconds = time.monotonic() - began
    metrics = services(request).metrics
    metrics.http_requests.labels(path, request.method, response.status).inc()
    metrics.http_seconds.labels(path).observe(seconds)
    log.debug("http", route=path, method=request.method, status=response.status, ms=round(seconds * 1000))
    return response


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (Refusal, RecordError, MediaError) as error:
        response = error_response(error.error_id)
        if isinstance(error, UploadOffsetMismatch):
            response.headers["Upload-Offset"] = str(error.offset_bytes)
        log.info("http_refused", error_id=error.error_id, method=request.method)
        return response
    except msgspec.MsgspecError:
        return error_response("request.malformed")
    except web.HTTPRequestEntityTooLarge:
        return error_response("request.too_large")
    except web.HTTPNotFound:
        return error_response("request.not_found")
    except web.HTTPMethodNotAllowed:
        return error_response("request.method")
    except web.HTTPException as answer:
        if answer.status >= 400:
            return error_response("request.malformed")
        raise
    except (ConnectionResetError, TimeoutError):
        raise
    except Exception as error:
        log.error("http_failed", kind=type(error).__name__, where=_where(error))
        return error_response("server.error")


def _where(error: BaseException) -> str:
    """The innermost frame: an exception's own words may hold what somebody sent."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}" if at is not None else ""
