"""HTTP doors of staff: signing in, referrals, worklist, consultations, links, notes, timelines."""

from __future__ import annotations

from datetime import timedelta

import segno
from aiohttp import web

from records.interface import (
    Admission,
    CareLink,
    CareSubject,
    Consultation,
    Gamut,
    NewPatient,
    Participant,
    Role,
    Urgency,
)
from signaling import messages as m
from signaling.access import Act, Resource, Tie
from signaling.auth import SESSION_COOKIE
from signaling.bus import Change
from signaling.errors import Refusal
from signaling.http_base import (
    check_own_page,
    client_address,
    identify,
    is_https,
    json_response,
    read_json,
    services,
)
from signaling.identity import (
    Identity,
    care_of,
    care_of_consultation,
    care_ties,
    consultation_resource,
    new_token,
    require,
    token_hash,
)
from signaling.views import display_check_view, lacks_pictures, language, staff_view

EARLIEST = timedelta(hours=-1)
LATEST = timedelta(days=730)
_NO_TIE = frozenset({Tie.NONE})


async def login(request: web.Request) -> web.Response:
    """POST /api/login"""
    ours = services(request)
    check_own_page(request)
    asked = await read_json(request, m.LoginRequest)
    staff, token = await ours.auth.login(asked.email, asked.password, client_address(request), ours.clock())
    view = staff_view(staff, await ours.reader.site_name(staff.site_id))
    return _with_session(request, json_response(view), token)


async def login_by_link(request: web.Request) -> web.Response:
    """POST /api/login/link"""
    ours = services(request)
    check_own_page(request)
    asked = await read_json(request, m.SignInLinkRequest)
    staff, token = await ours.auth.login_by_link(asked.token, client_address(request), ours.clock())
    view = staff_view(staff, await ours.reader.site_name(staff.site_id))
    return _with_session(request, json_response(view), token)


def _with_session(request: web.Request, response: web.Response, token: str) -> web.Response:
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(services(request).auth.session_life.total_seconds()),
        httponly=True,
        samesite="Strict",
        secure=is_https(request),
        path="/",
    )
    return response


async def logout(request: web.Request) -> web.Response:
    """POST /api/logout"""
    check_own_page(request)
    token = request.cookies.get(SESSION_COOKIE, "")
    if token:
        await services(request).auth.logout(token)
    response = json_response(m.OkReply())
    response.del_cookie(SESSION_COOKIE, path="/", samesite="Strict", httponly=True, secure=is_https(request))
    return response


async def me(request: web.Request) -> web.Response:
    """GET /api/me"""
    who = await identify(request)
    if who.staff is None:
        raise Refusal("access.sign_in")
    site_name = await services(request).reader.site_name(who.staff.site_id)
    return json_response(staff_view(who.staff, site_name))


async def worklist(request: web.Request) -> web.Response:
    """GET /api/worklist"""
    ours = services(request)
    who = await identify(request)
    require(who, Act.READ_WORKLIST, Resource.CLINIC, _NO_TIE)
    assert who.staff is not None
    return json_response(await ours.reader.worklist(who.staff, ours.clock(), who.origin))


async def list_referrals(request: web.Request) -> web.Response:
    """GET /api/referrals"""
    ours = services(request)
    who = await identify(request)
    require(who, Act.LIST_REFERRALS, Resource.CLINIC, _NO_TIE)
    assert who.staff is not None
    return json_response(await ours.reader.referral_list(who.staff, ours.clock(), who.origin))


async def create_referral(request: web.Request) -> web.Response:
    """POST /api/referrals"""
    ours = services(request)
    who = await identify(request)
    require(who, Act.CREATE_REFERRAL, Resource.CLINIC, _NO_TIE)
    assert who.staff is not None
    asked = await read_json(request, m.ReferralRequest)
    now = ours.clock()
    if asked.patient.birth_date is not None and asked.patient.birth_date > now.date() + timedelta(days=1):
        raise Refusal("referral.date")
    actor = who.actor("referrals")
    referral = await ours.records.create_referral(
        actor,
        who.staff.site_id,
        NewPatient(
            asked.patient.name,
            asked.patient.birth_date,
            asked.patient.sex,
            asked.patient.language,
            asked.patient.email or None,
        ),
        asked.question,
        Urgency(asked.urgency),
        now,
    )
    await ours.bus.publish(Change(site_id=referral.site_id, open_referrals=True))
    return json_response(await ours.reader.referral(actor, referral, None, now), 201)


async def _referral_for(request: web.Request, act: Act) -> tuple[Identity, CareLink]:
    ours = services(request)
    who = await identify(request)
    if who.role is None:
        raise Refusal("access.sign_in")
    link = await care_of(ours.records, CareSubject.REFERRAL, request.match_info["referral_id"])
    ties = care_ties(who, (link,))
    if act is Act.DECIDE_REFERRAL and Tie.ACCEPTING_SPECIALIST in ties:
        raise Refusal("referral.state")
    require(who, act, Resource.REFERRAL, ties)
    return who, link


async def read_referral(request: web.Request) -> web.Response:
    """GET /api/referrals/{referral_id}"""
    ours = services(request)
    who, link = await _referral_for(request, Act.READ_REFERRAL)
    return json_response(
        await ours.reader.one_referral(who.actor(f"referral/{link.referral_id}"), link, ours.clock())
    )


async def accept(request: web.Request) -> web.Response:
    """POST /api/referrals/{referral_id}/accept: answers 201 with ConsultationDetail"""
    ours = services(request)
    who, link = await _referral_for(request, Act.DECIDE_REFERRAL)
    asked = await read_json(request, m.AcceptRequest)
    now = ours.clock()
    if asked.scheduled_at.tzinfo is None or not EARLIEST < asked.scheduled_at - now < LATEST:
        raise Refusal("referral.date")
    assert who.staff is not None
    actor = who.actor(f"referral/{link.referral_id}")
    consultation = await ours.records.accept_referral(
        actor, link.referral_id, who.staff.staff_id, asked.scheduled_at, now
    )
    consultation_id = consultation.consultation_id
    actor = who.actor(f"consultation/{consultation_id}")
    await ours.records.add_participant(
        actor,
        consultation_id,
        Role.SPECIALIST,
        who.staff.name,
        who.staff.staff_id,
        Admission.ADMITTED,
        now,
    )
    await ours.records.add_participant(
        actor, consultation_id, Role.PATIENT, consultation.patient.name, None, Admission.INVITED, now
    )
    await ours.bus.publish(
        Change(specialist_id=who.staff.staff_id, site_id=link.site_id, open_referrals=True)
    )
    return json_response(await ours.reader.consultation(actor, consultation_id, now), 201)


async def decline(request: web.Request) -> web.Response:
    """POST /api/referrals/{referral_id}/decline: answers ReferralView"""
    ours = services(request)
    who, link = await _referral_for(request, Act.DECIDE_REFERRAL)
    asked = await read_json(request, m.DeclineRequest)
    actor, now = who.actor(f"referral/{link.referral_id}"), ours.clock()
    referral = await ours.records.decline_referral(actor, link.referral_id, asked.reason, now)
    await ours.bus.publish(Change(site_id=referral.site_id, open_referrals=True))
    return json_response(await ours.reader.referral(actor, referral, None, now))


async def _consultation_for(request: web.Request, act: Act) -> tuple[Identity, CareLink, str]:
    """Who asks, their tie, and the consultation's id. Raises Refusal, NotFound."""
    ours = services(request)
    who = await identify(request)
    if who.role is None:
        raise Refusal("access.sign_in")
    link, consultation = await care_of_consultation(ours.records, request.match_info["consultation_id"])
    ties = care_ties(who, (link,))
    resource = consultation_resource(consultation.phase)
    if act is Act.MAKE_LINK and resource is Resource.ENDED_CONSULTATION:
        require(who, Act.READ_CONSULTATION, resource, ties)
        raise Refusal("consultation.ended")
    require(who, act, resource, ties)
    return who, link, consultation.consultation_id


async def read_consultation(request: web.Request) -> web.Response:
    """GET /api/consultations/{consultation_id}"""
    ours = services(request)
    who, _, consultation_id = await _consultation_for(request, Act.READ_CONSULTATION)
    actor = who.actor(f"consultation/{consultation_id}")
    view = await ours.reader.consultation(actor, consultation_id, ours.clock())
    for snapshot in [*view.snapshots, *view.referral.photos]:
        if lacks_pictures(snapshot):
            ours.stills.derive_later(await ours.records.snapshot(actor, snapshot.snapshot_id, ours.clock()))
    return json_response(view)


async def make_link(request: web.Request) -> web.Response:
    """POST /api/consultations/{consultation_id}/links: answers 201 with LinkView"""
    ours = services(request)
    who, link, consultation_id = await _consultation_for(request, Act.MAKE_LINK)
    asked = await read_json(request, m.LinkRequest)
    now = ours.clock()
    consultation = await ours.records.consultation(
        who.actor(f"consultation/{consultation_id}"), consultation_id, now
    )
    participant = await _link_holder(request, who, consultation, asked)
    token, expires_at = new_token(), now + timedelta(days=ours.settings.link_days)
    await ours.records.set_link(participant.participant_id, token_hash(token), expires_at)
    url = f"{ours.public_url}/p/#{token}"
    mailed = False
    patient = consultation.patient
    if asked.send_mail and asked.role == "patient" and patient.email and ours.mailer is not None:
        mailed = await ours.mailer.send_link(
            patient.email,
            language(patient.language),
            await ours.reader.site_name(link.site_id),
            consultation.scheduled_at,
            url,
        )
    await ours.bus.publish(Change(consultation_id=consultation_id))
    qr_svg = segno.make(url, error="m").svg_inline(scale=4, dark="#000", light="#fff")
    return json_response(m.LinkView(url, qr_svg, expires_at, mailed), 201)


async def _link_holder(
    request: web.Request, who: Identity, consultation: Consultation, asked: m.LinkRequest
) -> Participant:
    """The patient of the consultation, or the interpreter of that name; an interpreter is added when new."""
    ours = services(request)
    role = Role(asked.role)
    if role is Role.INTERPRETER and asked.name is None:
        raise Refusal("link.name_needed")
    for one in await ours.records.participants(consultation.consultation_id):
        if one.role is role and (role is Role.PATIENT or one.name == asked.name):
            return one
    return await ours.records.add_participant(
        who.actor(f"consultation/{consultation.consultation_id}"),
        consultation.consultation_id,
        role,
        consultation.patient.name if role is Role.PATIENT else asked.name or "",
        None,
        Admission.INVITED,
        ours.clock(),
    )


async def write_note(request: web.Request) -> web.Response:
    """PUT /api/consultations/{consultation_id}/note"""
    ours = services(request)
    who, link, consultation_id = await _consultation_for(request, Act.WRITE_NOTE)
    asked = await read_json(request, m.NoteRequest)
    actor = who.actor(f"consultation/{consultation_id}")
    written = await ours.records.write_note(actor, consultation_id, asked.text, asked.version, ours.clock())
    await ours.bus.publish(Change(site_id=link.site_id))
    return json_response(m.NoteView(written.note, written.note_version))


async def check_display(request: web.Request) -> web.Response:
    """PUT /api/consultations/{consultation_id}/display-check: answers DisplayCheckView"""
    ours = services(request)
    who, _, consultation_id = await _consultation_for(request, Act.CHECK_DISPLAY)
    asked = await read_json(request, m.DisplayCheckRequest)
    now = ours.clock()
    consultation = await ours.records.add_display_check(
        who.actor(f"consultation/{consultation_id}"),
        consultation_id,
        Gamut(asked.gamut),
        asked.steps_apart,
        now - timedelta(seconds=asked.age_s),
        now,
    )
    view = display_check_view(consultation)
    assert view is not None
    return json_response(view)


async def timeline(request: web.Request) -> web.Response:
    """GET /api/patients/{patient_id}/timeline"""
    ours = services(request)
    who = await identify(request)
    if who.role is None:
        raise Refusal("access.sign_in")
    patient_id, now = request.match_info["patient_id"], ours.clock()
    links = await ours.records.care_links(CareSubject.PATIENT, patient_id)
    require(who, Act.READ_TIMELINE, Resource.PATIENT, care_ties(who, links))
    return json_response(await ours.reader.timeline(who.actor(f"patient/{patient_id}"), patient_id, now))


def staff_routes() -> list[web.RouteDef]:
    """The routes of this file."""
    return [
        web.post("/api/login", login),
        web.post("/api/login/link", login_by_link),
        web.post("/api/logout", logout),
        web.get("/api/me", me),
        web.get("/api/worklist", worklist),
        web.get("/api/referrals", list_referrals),
        web.post("/api/referrals", create_referral),
        web.get("/api/referrals/{referral_id}", read_referral),
        web.post("/api/referrals/{referral_id}/accept", accept),
        web.post("/api/referrals/{referral_id}/decline", decline),
        web.get("/api/consultations/{consultation_id}", read_consultation),
        web.post("/api/consultations/{consultation_id}/links", make_link),
        web.put("/api/consultations/{consultation_id}/note", write_note),
        web.put("/api/consultations/{consultation_id}/display-check", check_display),
        web.get("/api/patients/{patient_id}/timeline", timeline),
    ]
