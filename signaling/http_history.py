"""HTTP doors of a patient's history and of the search over one's own patients, a page at a time."""

from __future__ import annotations

from typing import Any, get_args

from aiohttp import web

from records.interface import (
    CareLink,
    CareScope,
    CareSubject,
    Consultation,
    Entry,
    HistoryItem,
    HistoryKind,
    Phase,
    Referral,
    Role,
    Satisfaction,
    SearchHit,
    SearchQuery,
    Snapshot,
)
from signaling import messages as m
from signaling.access import Act, Resource, Tie
from signaling.clinical_views import cursor_from, cursor_text
from signaling.errors import Refusal
from signaling.http_base import identify, json_response, read_json, services
from signaling.http_entries import is_draft, patient_for, shown
from signaling.identity import Identity, require
from signaling.views import (
    patient_view,
    satisfaction_view,
    snapshot_view,
    timeline_consultation,
)

PAGE = 50
LONGEST_PAGE = 200


async def history(request: web.Request) -> web.Response:
    """GET /api/patients/{patient_id}/history?cursor=&most=&kind="""
    ours, patient_id = services(request), request.match_info["patient_id"]
    who, links = await patient_for(request, Act.READ_TIMELINE, CareSubject.PATIENT, patient_id)
    kinds = request.query.getall("kind", [])
    if not set(kinds) <= set(get_args(m.HistoryKindName)):
        raise Refusal("request.malformed")
    page = await ours.records.history(
        who.actor(f"patient/{patient_id}"),
        patient_id,
        ours.clock(),
        most=_most(request),
        before=cursor_from(request.query.get("cursor")),
        kinds=[HistoryKind(kind) for kind in kinds],
    )
    items = [await _item_view(request, who, item) for item in page.items if not _hidden(who, links, item)]
    return json_response(m.HistoryView(items, cursor_text(page.next)))


def _most(request: web.Request) -> int:
    text = request.query.get("most", str(PAGE))
    if not text.isascii() or not text.isdigit() or len(text) > 6 or not 1 <= int(text) <= LONGEST_PAGE:
        raise Refusal("request.malformed")
    return int(text)


def _hidden(who: Identity, links: list[CareLink], item: HistoryItem) -> bool:
    return isinstance(item.value, Entry) and is_draft(who, links, item.value.tied.consultation_id)


async def _item_view(request: web.Request, who: Identity, item: HistoryItem) -> m.HistoryItemView:
    ours = services(request)
    actor = who.actor(f"patient/{request.match_info['patient_id']}")
    view: Any
    match item.value:
        case Referral():
            view = await ours.reader.referral(actor, item.value, None, ours.clock())
        case Consultation():
            done = item.value.phase is Phase.ENDED or who.role is not Role.REFERRER
            view = timeline_consultation(item.value, with_note=done)
        case Snapshot():
            view = snapshot_view(item.value)
        case Entry():
            view = await shown(request, item.value)
        case Satisfaction():
            view = satisfaction_view(item.value)
    return m.HistoryItemView(item.kind.value, item.item_id, item.at, **{item.kind.value: view})


async def search(request: web.Request) -> web.Response:
    """POST /api/search: words are of patients, so they come in the body and in no address"""
    ours = services(request)
    who = await identify(request)
    require(who, Act.SEARCH, Resource.CLINIC, frozenset({Tie.NONE}))
    assert who.staff is not None
    asked = await read_json(request, m.SearchRequest)
    for moment in (asked.since, asked.until):
        if moment is not None and moment.tzinfo is None:
            raise Refusal("request.malformed")
    if who.role is Role.REFERRER:
        scope = CareScope(site_id=who.staff.site_id)
    else:
        scope = CareScope(specialist_id=who.staff.staff_id)
    query = SearchQuery(asked.words, asked.code, asked.site, asked.patient_id, asked.since, asked.until)
    page = await ours.records.search(
        who.actor("search"), scope, query, ours.clock(), most=asked.most, before=cursor_from(asked.cursor)
    )
    hits = [await _hit_view(request, hit) for hit in page.hits]
    return json_response(m.SearchView(hits, cursor_text(page.next)))


async def _hit_view(request: web.Request, hit: SearchHit) -> m.SearchHitView:
    return m.SearchHitView(
        kind=hit.kind.value,
        subject_id=hit.subject_id,
        at=hit.at,
        patient=patient_view(hit.patient),
        question=hit.value.question if isinstance(hit.value, Referral) else None,
        note=hit.value.note if isinstance(hit.value, Consultation) else None,
        entry=await shown(request, hit.value) if isinstance(hit.value, Entry) else None,
    )


def history_routes() -> list[web.RouteDef]:
    """The routes of this file."""
    return [
        web.get("/api/patients/{patient_id}/history", history),
        web.post("/api/search", search),
    ]
