"""HTTP door of pictures: the bytes of a snapshot's original and of what was derived from it."""

from __future__ import annotations

from typing import get_args

from aiohttp import hdrs, web

from records.interface import CareLink, CareSubject, NotFound, Variant
from signaling.access import Act, Resource
from signaling.errors import Refusal
from signaling.http_base import identify, services
from signaling.identity import care_of, care_ties, require
from signaling.messages import VariantName

_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/heic": "heic"}


async def picture(request: web.Request) -> web.Response:
    """GET /api/snapshots/{snapshot_id}/{variant}"""
    ours = services(request)
    who = await identify(request)
    if who.role is None:
        raise Refusal("access.sign_in")
    name = request.match_info["variant"]
    if name not in get_args(VariantName):
        raise Refusal("request.not_found")
    variant, now = Variant(name), ours.clock()
    snapshot_id = request.match_info["snapshot_id"]
    link = await care_of(ours.records, CareSubject.SNAPSHOT, snapshot_id)
    require(who, Act.READ_PICTURE, Resource.SNAPSHOT, care_ties(who, (link,)))
    actor = who.actor(_reason(link))
    try:
        data, media_type = await ours.records.snapshot_bytes(actor, snapshot_id, variant, now)
    except NotFound:
        ours.stills.derive_later(await ours.records.snapshot(actor, snapshot_id, now))
        raise
    return web.Response(body=data, headers=_headers(snapshot_id, variant, media_type))


def _reason(link: CareLink) -> str:
    if link.consultation is not None:
        return f"consultation/{link.consultation.consultation_id}"
    return f"referral/{link.referral_id}"


def _headers(snapshot_id: str, variant: Variant, media_type: str) -> dict[str, str]:
    """A picture of a patient stays in no cache, is never taken for a page, and is saved under its id."""
    ending = _ENDINGS.get(media_type, "bin")
    shown = "attachment" if media_type == "image/heic" else "inline"
    return {
        hdrs.CONTENT_TYPE: media_type if media_type in _ENDINGS else "application/octet-stream",
        hdrs.CACHE_CONTROL: "private, no-store",
        hdrs.CONTENT_DISPOSITION: f'{shown}; filename="{snapshot_id}-{variant.value}.{ending}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }


def picture_routes() -> list[web.RouteDef]:
    """The routes of this file."""
    return [web.get("/api/snapshots/{snapshot_id}/{variant}", picture)]
