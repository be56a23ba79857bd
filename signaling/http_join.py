"""HTTP doors of people with a personal link: what it opens, consent, satisfaction, ICE servers."""

from __future__ import annotations

from typing import get_args

from aiohttp import web

from records.interface import CareLink, ConsentGiven, Participant, Phase
from signaling import messages as m
from signaling.access import Act, Resource, Tie
from signaling.bus import Change
from signaling.consent import consent_text, current_version
from signaling.errors import Refusal
from signaling.http_base import identify, json_response, read_json, services
from signaling.identity import (
    Identity,
    care_of_consultation,
    consultation_resource,
    place_tie,
    require,
)
from signaling.views import language

MOST_ACCESSES = 500


async def _joined(request: web.Request, act: Act) -> tuple[Identity, Participant, CareLink]:
    """Who came by a link, and to what. Raises Refusal."""
    ours = services(request)
    who = await identify(request)
    if who.participant is None:
        raise Refusal("access.link_invalid")
    link, consultation = await care_of_consultation(ours.records, who.participant.consultation_id)
    if act is Act.CONSENT and consultation.phase is Phase.ENDED:
        raise Refusal("consultation.ended")
    if act is Act.SATISFY and consultation.phase is not Phase.ENDED:
        raise Refusal("consultation.not_ended")
    require(who, act, consultation_resource(consultation.phase), place_tie(who.participant))
    return who, who.participant, link


async def _view(request: web.Request, who: Identity, participant: Participant, link: CareLink) -> m.JoinView:
    ours = services(request)
    consultation = await ours.records.consultation(
        who.actor(f"consultation/{participant.consultation_id}"), participant.consultation_id, ours.clock()
    )
    return m.JoinView(
        participant_id=participant.participant_id,
        consultation_id=consultation.consultation_id,
        role=participant.role.value,  # type: ignore[arg-type]
        name=participant.name,
        specialist_name=await ours.reader.staff_name(consultation.specialist_id),
        site_name=await ours.reader.site_name(link.site_id),
        scheduled_at=consultation.scheduled_at,
        phase=consultation.phase.value,
        language=language(consultation.patient.language),
        consent_version=current_version(),
        consent_given=participant.consent is not None,
        satisfaction_given=participant.satisfaction_given,
    )


async def join(request: web.Request) -> web.Response:
    """GET /api/join"""
    who, participant, link = await _joined(request, Act.READ_JOIN)
    return json_response(await _view(request, who, participant, link))


async def accesses(request: web.Request) -> web.Response:
    """GET /api/join/accesses: who saw my record"""
    ours = services(request)
    who, participant, link = await _joined(request, Act.READ_ACCESSES)
    reason = f"consultation/{participant.consultation_id}"
    found = await ours.records.accesses(who.actor(reason), link.patient_id, MOST_ACCESSES, ours.clock())
    return json_response(
        m.AccessList(
            [
                m.AccessView(one.at, one.role.value, one.name, one.site_name, one.action)  # type: ignore[arg-type]
                for one in found
            ]
        )
    )


async def read_consent(request: web.Request) -> web.Response:
    """GET /api/consent/{language}"""
    wanted = request.match_info["language"]
    if wanted not in get_args(m.Language):
        raise Refusal("request.not_found")
    return json_response(consent_text(wanted))


async def give_consent(request: web.Request) -> web.Response:
    """POST /api/join/consent: answers JoinView"""
    ours = services(request)
    who, participant, link = await _joined(request, Act.CONSENT)
    asked = await read_json(request, m.ConsentRequest)
    text = consent_text(asked.language)
    if (asked.version, asked.text_sha256) != (text.version, text.sha256):
        raise Refusal("consent.text_changed")
    if "care" not in asked.purposes:
        raise Refusal("consent.care_needed")
    now = ours.clock()
    given = ConsentGiven(
        asked.version, asked.language, asked.text_sha256, tuple(sorted(set(asked.purposes))), now
    )
    changed = await ours.records.give_consent(
        who.actor(f"consultation/{participant.consultation_id}"), participant.participant_id, given, now
    )
    await ours.bus.publish(Change(consultation_id=participant.consultation_id))
    return json_response(await _view(request, who, changed, link))


async def give_satisfaction(request: web.Request) -> web.Response:
    """POST /api/join/satisfaction: answers OkReply"""
    ours = services(request)
    who, participant, _ = await _joined(request, Act.SATISFY)
    asked = await read_json(request, m.SatisfactionRequest)
    await ours.records.give_satisfaction(
        who.actor(f"consultation/{participant.consultation_id}"),
        participant.participant_id,
        asked.score,
        asked.words,
        ours.clock(),
    )
    await ours.bus.publish(Change(consultation_id=participant.consultation_id))
    return json_response(m.OkReply())


async def ice(request: web.Request) -> web.Response:
    """GET /api/ice"""
    ours = services(request)
    who = await identify(request)
    if who.participant is not None:
        await _joined(request, Act.READ_ICE)
    else:
        require(who, Act.READ_ICE, Resource.CLINIC, frozenset({Tie.NONE}))
    servers = ours.ice_servers(who.id, ours.clock())
    return json_response(m.IceView(servers, relay_configured=bool(servers)))


def join_routes() -> list[web.RouteDef]:
    """The routes of this file."""
    return [
        web.get("/api/join", join),
        web.get("/api/join/accesses", accesses),
        web.get("/api/consent/{language}", read_consent),
        web.post("/api/join/consent", give_consent),
        web.post("/api/join/satisfaction", give_satisfaction),
        web.get("/api/ice", ice),
    ]
