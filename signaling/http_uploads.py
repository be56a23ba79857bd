"""HTTP doors of uploads: tus 1.0.0 (tus.io/protocols/resumable-upload), creation by a JSON body."""

from __future__ import annotations

from aiohttp import hdrs, web

from records.interface import CaptureMethod, CareSubject, NewUpload, Upload, UploadPurpose
from signaling import messages as m
from signaling.access import Act, Resource, Tie
from signaling.errors import Refusal
from signaling.http_base import TUS_TYPE, identify, json_response, read_json, services
from signaling.identity import (
    Identity,
    care_of,
    care_of_consultation,
    care_ties,
    consultation_resource,
    place_tie,
    require,
)

TUS_HEADERS = {"Tus-Resumable": "1.0.0"}
PIECE_BYTES = 1024 * 1024
"""So much of a PATCH body is made durable at a time: a lost connection loses less."""
MAX_SETTINGS = 60


async def options(request: web.Request) -> web.Response:
    """OPTIONS /api/uploads"""
    return web.Response(
        status=204,
        headers={
            **TUS_HEADERS,
            "Tus-Version": "1.0.0",
            "Tus-Extension": "creation,termination",
            "Tus-Max-Size": str(services(request).settings.max_upload_bytes),
        },
    )


async def create(request: web.Request) -> web.Response:
    """POST /api/uploads"""
    ours = services(request)
    who = await identify(request)
    if who.role is None:
        raise Refusal("access.sign_in")
    asked = await read_json(request, m.UploadRequest)
    if asked.size_bytes > ours.settings.max_upload_bytes:
        raise Refusal("upload.too_large")
    if len(asked.settings) > MAX_SETTINGS or any(
        len(key) > 60 or len(str(value)) > 200 for key, value in asked.settings.items()
    ):
        raise Refusal("request.malformed")
    if asked.taken_at is not None and asked.taken_at.tzinfo is None:
        raise Refusal("request.malformed")
    uploader_id = await _may_open(request, who, asked)
    new = NewUpload(
        purpose=UploadPurpose(asked.purpose),
        owner_id=asked.owner_id,
        uploader_id=uploader_id,
        capture_id=asked.capture_id,
        size_bytes=asked.size_bytes,
        sha256=asked.sha256,
        media_type=asked.media_type,
        method=CaptureMethod(asked.method),
        taken_at=asked.taken_at,
        device=asked.device,
        settings=asked.settings,
    )
    upload = await ours.records.open_upload(new, ours.clock())
    response = json_response(_view(upload), 201)
    response.headers.update({**TUS_HEADERS, "Location": f"/api/uploads/{upload.upload_id}"})
    response.headers["Upload-Offset"] = "0"
    return response


async def _may_open(request: web.Request, who: Identity, asked: m.UploadRequest) -> str:
    """The uploader's id: the account's, or the place's. Raises Refusal."""
    ours = services(request)
    if asked.purpose == "referral_photo":
        link = await care_of(ours.records, CareSubject.REFERRAL, asked.owner_id)
        require(who, Act.OPEN_UPLOAD, Resource.REFERRAL, care_ties(who, (link,)))
        return who.id
    _, consultation = await care_of_consultation(ours.records, asked.owner_id)
    place = who.participant
    if who.staff is not None:
        places = await ours.records.participants(asked.owner_id)
        place = next((one for one in places if one.staff_id == who.staff.staff_id), None)
    if place is None or place.consultation_id != asked.owner_id:
        raise Refusal("access.denied")
    require(who, Act.OPEN_UPLOAD, consultation_resource(consultation.phase), place_tie(place))
    return who.id


async def _own(request: web.Request) -> tuple[Identity, Upload]:
    """An upload for the one who opened it. A still may be finished though the call has ended meanwhile."""
    who = await identify(request)
    if who.role is None:
        raise Refusal("access.sign_in")
    upload = await services(request).records.upload(request.match_info["upload_id"])
    tie = Tie.UPLOADER if upload.new.uploader_id == who.id else Tie.NONE
    require(who, Act.CONTINUE_UPLOAD, Resource.UPLOAD, frozenset({tie}))
    return who, upload


def _view(upload: Upload) -> m.UploadView:
    return m.UploadView(upload.upload_id, upload.offset_bytes, upload.new.size_bytes, upload.snapshot_id)


def _progress(upload: Upload) -> dict[str, str]:
    headers = {
        **TUS_HEADERS,
        hdrs.CACHE_CONTROL: "no-store",
        "Upload-Offset": str(upload.offset_bytes),
        "Upload-Length": str(upload.new.size_bytes),
    }
    if upload.snapshot_id is not None:
        headers["Snapshot-Id"] = upload.snapshot_id
    return headers


async def head(request: web.Request) -> web.Response:
    """HEAD /api/uploads/{upload_id}: how far it came; Snapshot-Id once it became one."""
    _, upload = await _own(request)
    return web.Response(headers=_progress(upload))


async def read(request: web.Request) -> web.Response:
    """GET /api/uploads/{upload_id}: the same as UploadView"""
    _, upload = await _own(request)
    return json_response(_view(upload))


async def patch(request: web.Request) -> web.Response:
    """PATCH /api/uploads/{upload_id}: the next bytes. The last ones make it a snapshot (Snapshot-Id)."""
    ours = services(request)
    if request.content_type != TUS_TYPE:
        raise Refusal("request.media_type")
    offset = request.headers.get("Upload-Offset", "")
    if not offset.isascii() or not offset.isdigit() or len(offset) > 15:
        raise Refusal("upload.incomplete_headers")
    who, upload = await _own(request)
    at = int(offset)
    length = request.content_length
    if length is not None and at + length > upload.new.size_bytes:
        raise Refusal("upload.too_large")
    if length == 0 or at != upload.offset_bytes:
        upload = await ours.records.append_upload(upload.upload_id, at, b"", ours.clock())
    async for piece in _pieces(request):
        upload = await ours.records.append_upload(upload.upload_id, at, piece, ours.clock())
        at = upload.offset_bytes
    if upload.offset_bytes == upload.new.size_bytes and upload.snapshot_id is None:
        kind = "consultation" if upload.new.purpose is UploadPurpose.SNAPSHOT else "referral"
        await ours.stills.commit(who.actor(f"{kind}/{upload.new.owner_id}"), upload.upload_id)
        upload = await ours.records.upload(upload.upload_id)
    return web.Response(status=204, headers=_progress(upload))


async def _pieces(request: web.Request):  # type: ignore[no-untyped-def]
    """The body in pieces of PIECE_BYTES; what came before a lost connection is yielded too."""
    buffer = bytearray()
    try:
        async for data in request.content.iter_any():
            buffer += data
            while len(buffer) >= PIECE_BYTES:
                yield bytes(buffer[:PIECE_BYTES])
                del buffer[:PIECE_BYTES]
    except (ConnectionResetError, web.RequestPayloadError):
        if buffer:
            yield bytes(buffer)
        raise
    if buffer:
        yield bytes(buffer)


async def discard(request: web.Request) -> web.Response:
    """DELETE /api/uploads/{upload_id}"""
    _, upload = await _own(request)
    await services(request).records.discard_upload(upload.upload_id)
    return web.Response(status=204, headers=TUS_HEADERS)


def upload_routes() -> list[web.RouteDef]:
    """The routes of this file."""
    return [
        web.options("/api/uploads", options),
        web.post("/api/uploads", create),
        web.options("/api/uploads/{upload_id}", options),
        web.head("/api/uploads/{upload_id}", head),
        web.get("/api/uploads/{upload_id}", read, allow_head=False),
        web.patch("/api/uploads/{upload_id}", patch),
        web.delete("/api/uploads/{upload_id}", discard),
    ]
