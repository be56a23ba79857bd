"""HTTP doors of what clinicians write: entries in versions, lesions with their pictures, measurements."""

from __future__ import annotations

from typing import get_args

import msgspec
from aiohttp import web

from records.interface import (
    SITES,
    CareLink,
    CareSubject,
    Entry,
    EntryChanged,
    EntryKind,
    NotFound,
    Phase,
    Role,
    Tied,
)
from signaling import messages as m
from signaling.access import Act, Resource
from signaling.clinical_views import change_views, content_of, entry_view
from signaling.errors import Refusal, reply, status
from signaling.http_base import Handler, identify, json_response, read_json, services
from signaling.identity import Identity, care_ties, require
from signaling.views import snapshot_view


async def patient_for(
    request: web.Request, act: Act, subject: CareSubject, subject_id: str
) -> tuple[Identity, list[CareLink]]:
    """Who asks about a patient, or about an entry on one, and the ties of care. Raises Refusal, NotFound."""
    who = await identify(request)
    if who.role is None:
        raise Refusal("access.sign_in")
    links = list(await services(request).records.care_links(subject, subject_id))
    require(who, act, Resource.PATIENT, care_ties(who, links))
    return who, links


def is_draft(who: Identity, links: list[CareLink], consultation_id: str | None) -> bool:
    """Whether something was written in a consultation that has not ended: the referring site waits for it."""
    if who.role is not Role.REFERRER or consultation_id is None:
        return False
    met = [link.consultation for link in links if link.consultation is not None]
    return any(one.consultation_id == consultation_id and one.phase is not Phase.ENDED for one in met)


async def shown(request: web.Request, entry: Entry) -> m.EntryView:
    """An entry with its author's name."""
    return entry_view(entry, await services(request).reader.staff_name(entry.author_id))


def with_conflict(handler: Handler) -> Handler:
    """Answer a second writer with what is there now."""

    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except EntryChanged as changed:
            error_id = EntryChanged.error_id
            current = await shown(request, changed.current)
            return json_response(m.EntryConflictReply(reply(error_id).error, current), status(error_id))

    return answered


async def add_entry(request: web.Request) -> web.Response:
    """POST /api/patients/{patient_id}/entries: answers 201 with EntryView"""
    ours, patient_id = services(request), request.match_info["patient_id"]
    who, _ = await patient_for(request, Act.WRITE_ENTRY, CareSubject.PATIENT, patient_id)
    asked = await read_json(request, m.EntryRequest)
    tied = Tied(asked.lesion_id, asked.snapshot_id, asked.consultation_id)
    actor = who.actor(f"patient/{patient_id}")
    added = await ours.records.add_entry(actor, patient_id, content_of(asked), tied, ours.clock())
    return json_response(await shown(request, added), 201)


async def list_entries(request: web.Request) -> web.Response:
    """GET /api/patients/{patient_id}/entries?kind=&lesion_id=&snapshot_id="""
    ours, patient_id = services(request), request.match_info["patient_id"]
    who, links = await patient_for(request, Act.READ_ENTRY, CareSubject.PATIENT, patient_id)
    kinds = request.query.getall("kind", [])
    if not set(kinds) <= set(get_args(m.EntryKindName)):
        raise Refusal("request.malformed")
    found = await ours.records.entries(
        who.actor(f"patient/{patient_id}"),
        patient_id,
        ours.clock(),
        [EntryKind(kind) for kind in kinds],
        lesion_id=request.query.get("lesion_id"),
        snapshot_id=request.query.get("snapshot_id"),
    )
    seen = [one for one in found if not is_draft(who, links, one.tied.consultation_id)]
    return json_response(m.EntryList([await shown(request, one) for one in seen]))


async def read_entry(request: web.Request) -> web.Response:
    """GET /api/entries/{entry_id}?version="""
    ours, entry_id = services(request), request.match_info["entry_id"]
    who, links = await patient_for(request, Act.READ_ENTRY, CareSubject.ENTRY, entry_id)
    version = _version(request, needed=False)
    actor = who.actor(f"patient/{links[0].patient_id}")
    found = await ours.records.entry(actor, entry_id, ours.clock(), version)
    if is_draft(who, links, found.tied.consultation_id):
        raise NotFound("no such entry")
    return json_response(await shown(request, found))


async def read_versions(request: web.Request) -> web.Response:
    """GET /api/entries/{entry_id}/versions"""
    ours, entry_id = services(request), request.match_info["entry_id"]
    who, links = await patient_for(request, Act.READ_ENTRY, CareSubject.ENTRY, entry_id)
    actor = who.actor(f"patient/{links[0].patient_id}")
    found = await ours.records.entry_versions(actor, entry_id, ours.clock())
    if is_draft(who, links, found[0].tied.consultation_id):
        raise NotFound("no such entry")
    return json_response(m.EntryList([await shown(request, one) for one in found]))


async def change_entry(request: web.Request) -> web.Response:
    """PUT /api/entries/{entry_id}: answers EntryView, or 409 with EntryConflictReply"""
    ours, entry_id = services(request), request.match_info["entry_id"]
    who, links = await patient_for(request, Act.WRITE_ENTRY, CareSubject.ENTRY, entry_id)
    asked = await read_json(request, m.EntryChangeRequest)
    actor = who.actor(f"patient/{links[0].patient_id}")
    changed = await ours.records.change_entry(actor, entry_id, content_of(asked), asked.version, ours.clock())
    return json_response(await shown(request, changed))


async def delete_entry(request: web.Request) -> web.Response:
    """DELETE /api/entries/{entry_id}?version=: out of sight, not removed; 409 with EntryConflictReply"""
    ours, entry_id = services(request), request.match_info["entry_id"]
    who, links = await patient_for(request, Act.WRITE_ENTRY, CareSubject.ENTRY, entry_id)
    version = _version(request, needed=True)
    assert version is not None
    actor = who.actor(f"patient/{links[0].patient_id}")
    return json_response(
        await shown(request, await ours.records.delete_entry(actor, entry_id, version, ours.clock()))
    )


async def restore_entry(request: web.Request) -> web.Response:
    """POST /api/entries/{entry_id}/restore"""
    ours, entry_id = services(request), request.match_info["entry_id"]
    who, links = await patient_for(request, Act.WRITE_ENTRY, CareSubject.ENTRY, entry_id)
    actor = who.actor(f"patient/{links[0].patient_id}")
    return json_response(
        await shown(request, await ours.records.restore_entry(actor, entry_id, ours.clock()))
    )


async def measure_annotation(request: web.Request) -> web.Response:
    """POST /api/annotations/{entry_id}/measurements: answers 201 with EntryView"""
    ours, entry_id = services(request), request.match_info["entry_id"]
    who, links = await patient_for(request, Act.WRITE_ENTRY, CareSubject.ENTRY, entry_id)
    actor = who.actor(f"patient/{links[0].patient_id}")
    measured = await ours.measuring.measure(actor, entry_id, ours.clock())
    return json_response(await shown(request, measured), 201)


async def read_lesion(request: web.Request) -> web.Response:
    """GET /api/lesions/{entry_id}: answers LesionView"""
    who, links = await patient_for(request, Act.READ_ENTRY, CareSubject.ENTRY, request.match_info["entry_id"])
    return json_response(await _lesion_view(request, who, links))


async def link_snapshot(request: web.Request) -> web.Response:
    """PUT or DELETE /api/lesions/{entry_id}/snapshots/{snapshot_id}: answers LesionView"""
    ours, lesion_id = services(request), request.match_info["entry_id"]
    who, links = await patient_for(request, Act.WRITE_ENTRY, CareSubject.ENTRY, lesion_id)
    change = ours.records.link_snapshot if request.method == "PUT" else ours.records.unlink_snapshot
    actor = who.actor(f"patient/{links[0].patient_id}")
    await change(actor, lesion_id, request.match_info["snapshot_id"], ours.clock())
    return json_response(await _lesion_view(request, who, links))


async def _lesion_view(request: web.Request, who: Identity, links: list[CareLink]) -> m.LesionView:
    ours, lesion_id, now = services(request), request.match_info["entry_id"], services(request).clock()
    actor = who.actor(f"patient/{links[0].patient_id}")
    record = await ours.records.lesion(actor, lesion_id, now)
    if is_draft(who, links, record.lesion.tied.consultation_id):
        raise NotFound("no such lesion")
    patient_id = record.lesion.patient_id
    found = await ours.records.entries(actor, patient_id, now, [EntryKind.MEASUREMENT], lesion_id=lesion_id)
    taken = {snapshot.snapshot_id: snapshot.taken_at for snapshot in record.snapshots}
    seen = [one for one in found if not is_draft(who, links, one.tied.consultation_id)]
    measured = sorted(seen, key=lambda one: (taken[one.tied.snapshot_id or ""], one.at))
    return m.LesionView(
        lesion=await shown(request, record.lesion),
        snapshots=[snapshot_view(snapshot) for snapshot in record.snapshots],
        measurements=[await shown(request, one) for one in measured],
        changes=change_views(measured),
    )


async def body_sites(request: web.Request) -> web.Response:
    """GET /api/body-sites"""
    who = await identify(request)
    if who.staff is None:
        raise Refusal("access.sign_in")
    sites = [msgspec.convert(msgspec.to_builtins(site), m.BodySiteView) for site in SITES.values()]
    return json_response(m.BodySiteList(sites))


def _version(request: web.Request, *, needed: bool) -> int | None:
    text = request.query.get("version")
    if text is None and not needed:
        return None
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 6:
        raise Refusal("request.malformed")
    return int(text)


def entry_routes() -> list[web.RouteDef]:
    """The routes of this file."""
    return [
        web.get("/api/body-sites", body_sites),
        web.post("/api/patients/{patient_id}/entries", add_entry),
        web.get("/api/patients/{patient_id}/entries", list_entries),
        web.get("/api/entries/{entry_id}", read_entry),
        web.put("/api/entries/{entry_id}", with_conflict(change_entry)),
        web.delete("/api/entries/{entry_id}", with_conflict(delete_entry)),
        web.get("/api/entries/{entry_id}/versions", read_versions),
        web.post("/api/entries/{entry_id}/restore", restore_entry),
        web.post("/api/annotations/{entry_id}/measurements", measure_annotation),
        web.get("/api/lesions/{entry_id}", read_lesion),
        web.put("/api/lesions/{entry_id}/snapshots/{snapshot_id}", link_snapshot),
        web.delete("/api/lesions/{entry_id}/snapshots/{snapshot_id}", link_snapshot),
    ]
