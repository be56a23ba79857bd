"""What clinicians write, over HTTP: versions, second writers, measuring, history, search, who is kept out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from records import images
from records.interface import SYSTEM_ACTOR, Variant
from signaling.compose import utc_now
from tests.signaling.clinic import Clinic, Consulted, still, upload

MOLE = {"label": "mole 1", "site": "forearm", "laterality": "left"}
REPORT: dict[str, Any] = {
    "grade": "good",
    "layout": "card",
    "residual_de00": 1.0,
    "raw_de00": 8.0,
    "expected_de00": 1.5,
    "expected_de00_low": 1.0,
    "expected_de00_high": 3.0,
    "clipped_patches": [],
    "dropped_patches": [],
    "illuminant_xy": [0.31, 0.33],
    "illuminant_cct_k": 6500.0,
    "scale_mm_per_px": 0.1,
    "words_en": "good",
    "words_zh": "好",
}


def disk(radius_px: float) -> list[list[float]]:
    turn = np.linspace(0, 2 * math.pi, 120, endpoint=False)
    return [[160 + radius_px * math.cos(t), 120 + radius_px * math.sin(t)] for t in turn]


def painted(radius_px: float) -> bytes:
    """A red disk on skin, 320 by 240 px."""
    y, x = np.mgrid[:240, :320] + 0.5
    picture = np.full((240, 320, 3), (224, 172, 150), np.uint8)
    picture[np.hypot(x - 160, y - 120) < radius_px] = (168, 92, 80)
    return images.encode_derived(picture)


async def photographed(consulted: Consulted, seed: int, radius_px: float | None, **report: Any) -> str:
    """A still of the referral; with a radius it has a corrected picture of a lesion and a calibration."""
    referral_id = consulted.referral["referral_id"]
    body = still(seed)
    _, patched = await upload(consulted.referrer, body, referral_id, purpose="referral_photo")
    assert patched.status in (200, 204), patched.body
    records = consulted.clinic.server.records
    referral = await records.referral(SYSTEM_ACTOR, referral_id, utc_now())
    snapshot_id = referral.photo_ids[-1]
    if radius_px is not None:
        values = {**REPORT, **report}
        await records.add_derived(
            SYSTEM_ACTOR, snapshot_id, Variant.CORRECTED, painted(radius_px), values, "test", utc_now()
        )
    return snapshot_id


def entries_of(consulted: Consulted) -> str:
    return f"/api/patients/{consulted.referral['patient']['patient_id']}/entries"


async def written(consulted: Consulted, **body: Any) -> Any:
    reply = await consulted.specialist.post(entries_of(consulted), body)
    assert reply.status == 201, reply.body
    return reply.json


async def test_a_lesion_is_written_changed_deleted_and_restored(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist = consulted.specialist
    lesion = await written(consulted, lesion=MOLE)
    assert (lesion["kind"], lesion["version"], lesion["lesion"]["state"]) == ("lesion", 1, "active")
    assert lesion["author_name"] == "Dr. Specialist 0"
    path = f"/api/entries/{lesion['entry_id']}"
    changed = await specialist.ask("PUT", path, {"version": 1, "lesion": {**MOLE, "state": "excised"}})
    assert (changed.status, changed.json["version"]) == (200, 2)
    lost = await specialist.ask("PUT", path, {"version": 1, "lesion": MOLE})
    assert (lost.status, lost.error_id) == (409, "record.conflict")
    assert lost.json["current"] == changed.json
    assert (await specialist.get(f"{path}?version=1")).json["lesion"]["state"] == "active"
    versions = (await specialist.get(f"{path}/versions")).json["entries"]
    assert [one["version"] for one in versions] == [2, 1]
    stale = await specialist.ask("DELETE", f"{path}?version=1")
    assert (stale.status, stale.json["current"]["version"]) == (409, 2)
    assert (await specialist.ask("DELETE", f"{path}?version=2")).json["deleted"] is True
    assert (await specialist.get(entries_of(consulted))).json["entries"] == []
    assert (await specialist.post(f"{path}/restore", {})).json["deleted"] is False
    listed = (await specialist.get(f"{entries_of(consulted)}?kind=lesion")).json["entries"]
    assert [one["entry_id"] for one in listed] == [lesion["entry_id"]]


async def test_bad_requests_change_nothing(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist, path = consulted.specialist, entries_of(consulted)
    for body, error_id in (
        ({}, "request.malformed"),
        ({"lesion": MOLE, "note": {"text": "x"}}, "request.malformed"),
        ({"lesion": {**MOLE, "site": "antenna"}}, "record.invalid"),
        ({"lesion": {**MOLE, "laterality": "none"}}, "record.invalid"),
        ({"note": {}}, "record.invalid"),
        ({"note": {"text": "x"}, "lesion_id": "nothing"}, "record.not_found"),
        ({"annotation": {"form": "text", "points": [[1, 1]], "words": "x"}}, "record.invalid"),
        ({"annotation": {"form": "arrow", "points": [[1, 1]]}, "snapshot_id": "x"}, "record.invalid"),
        ({"measurement": {}}, "request.malformed"),
    ):
        reply = await specialist.post(path, body)
        assert reply.error_id == error_id, body
    for query in ("?kind=soup", "?kind=lesion&kind=soup"):
        assert (await specialist.get(path + query)).error_id == "request.malformed"
    note = await written(consulted, note={"text": "x"})
    for version in ("", "?version=", "?version=-1", "?version=x", "?version=1111111"):
        reply = await specialist.ask("DELETE", f"/api/entries/{note['entry_id']}{version}")
        assert reply.error_id == "request.malformed"
    assert len((await specialist.get(path)).json["entries"]) == 1


async def test_growth_is_shown_and_its_absence_is_too(clinic: Clinic) -> None:
    """6 mm at 10 px a mm; the second picture shows it as it was, the third grown by 15 %."""
    consulted = await clinic.consultation()
    specialist = consulted.specialist
    lesion_id = (await written(consulted, lesion=MOLE))["entry_id"]
    for seed, radius_px in ((1, 30.0), (2, 30.2), (3, 34.5)):
        snapshot_id = await photographed(consulted, seed, radius_px)
        outline = {"form": "polygon", "points": disk(radius_px)}
        drawn = await written(consulted, annotation=outline, lesion_id=lesion_id, snapshot_id=snapshot_id)
        measured = await specialist.post(f"/api/annotations/{drawn['entry_id']}/measurements", {})
        assert measured.status == 201, measured.body
        content = measured.json["measurement"]
        assert content["size"]["longest_mm"]["value"] == pytest.approx(radius_px / 5, rel=0.03)
        assert content["basis"]["scale_source"] == "chart"
        assert content["color"]["contrast_de00"]["value"] > 15
    view = (await specialist.get(f"/api/lesions/{lesion_id}")).json
    assert len(view["snapshots"]) == len(view["measurements"]) == 3
    still_same, grown = view["changes"]
    assert still_same["longest_mm"]["verdict"] == still_same["area_mm2"]["verdict"] == "no_measurable_change"
    assert grown["longest_mm"]["verdict"] == grown["area_mm2"]["verdict"] == "increased"
    assert grown["longest_mm"]["difference"] == pytest.approx(0.86, abs=0.05)
    assert grown["a"]["verdict"] == "no_measurable_change"


async def test_no_scale_no_millimetres_and_no_calibration_no_color(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist = consulted.specialist
    lesion_id = (await written(consulted, lesion=MOLE))["entry_id"]
    outline = {"form": "polygon", "points": disk(30)}

    async def measured(snapshot_id: str) -> Any:
        drawn = await written(consulted, annotation=outline, lesion_id=lesion_id, snapshot_id=snapshot_id)
        return await specialist.post(f"/api/annotations/{drawn['entry_id']}/measurements", {})

    bare = await measured(await photographed(consulted, 1, None))
    assert (bare.status, bare.error_id) == (422, "measurement.no_scale")
    colored = (await measured(await photographed(consulted, 2, 30, scale_mm_per_px=None))).json
    assert colored["measurement"]["size"] is None
    assert colored["measurement"]["color"] is not None
    sized = (await measured(await photographed(consulted, 3, 30, grade="refuse"))).json
    assert sized["measurement"]["size"] is not None
    assert sized["measurement"]["color"] is None
    changes = (await specialist.get(f"/api/lesions/{lesion_id}")).json["changes"]
    verdicts = {one[name]["verdict"] for one in changes for name in ("longest_mm", "lightness")}
    assert verdicts == {"not_comparable"}
    arrow = {"form": "arrow", "points": [[1, 1], [2, 2]]}
    snapshot_id = await photographed(consulted, 4, 30)
    drawn = await written(consulted, annotation=arrow, snapshot_id=snapshot_id)
    reply = await specialist.post(f"/api/annotations/{drawn['entry_id']}/measurements", {})
    assert reply.error_id == "record.invalid"
    reply = await specialist.post(f"/api/annotations/{lesion_id}/measurements", {})
    assert reply.error_id == "request.not_found"


async def test_pictures_are_linked_and_unlinked(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    lesion_id = (await written(consulted, lesion=MOLE))["entry_id"]
    snapshot_id = await photographed(consulted, 1, None)
    path = f"/api/lesions/{lesion_id}/snapshots/{snapshot_id}"
    linked = await consulted.specialist.ask("PUT", path, {})
    assert [one["snapshot_id"] for one in linked.json["snapshots"]] == [snapshot_id]
    assert (await consulted.specialist.ask("DELETE", path)).json["snapshots"] == []
    assert (await consulted.referrer.ask("PUT", path, {})).error_id == "access.denied"


async def test_who_is_kept_out(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    lesion_id = (await written(consulted, lesion=MOLE))["entry_id"]
    strangers = [
        await clinic.signed_in(clinic.other_specialist),
        await clinic.signed_in(clinic.other_referrer),
    ]
    reads = (
        entries_of(consulted),
        f"/api/entries/{lesion_id}",
        f"/api/entries/{lesion_id}/versions",
        f"/api/lesions/{lesion_id}",
        entries_of(consulted).replace("entries", "history"),
    )
    for path in reads:
        for browser in (*strangers, consulted.patient):
            assert (await browser.get(path)).error_id == "access.denied", path
        assert (await clinic.browser().get(path)).error_id == "access.sign_in"
        assert (await consulted.referrer.get(path)).status == 200
    for browser in (*strangers, consulted.referrer, consulted.patient):
        assert (
            await browser.post(entries_of(consulted), {"note": {"text": "x"}})
        ).error_id == "access.denied"
        change = {"version": 1, "lesion": MOLE}
        reply = await browser.ask("PUT", f"/api/entries/{lesion_id}", change)
        assert reply.error_id == "access.denied"
        reply = await browser.ask("DELETE", f"/api/entries/{lesion_id}?version=1")
        assert reply.error_id == "access.denied"
    assert (await consulted.specialist.get("/api/entries/nothing")).error_id == "record.not_found"
    assert (await consulted.patient.get("/api/body-sites")).error_id == "access.sign_in"


async def test_the_referring_site_waits_for_drafts(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    draft = await written(consulted, note={"text": "naevus?"}, consultation_id=consulted.consultation_id)
    path = f"/api/entries/{draft['entry_id']}"
    history = entries_of(consulted).replace("entries", "history")

    async def seen() -> tuple[int, int, int, int]:
        referrer = consulted.referrer
        items = (await referrer.get(history)).json["items"]
        return (
            (await referrer.get(path)).status,
            len((await referrer.get(entries_of(consulted))).json["entries"]),
            sum(item["kind"] == "entry" for item in items),
            len((await referrer.post("/api/search", {"words": "naevus"})).json["hits"]),
        )

    assert await seen() == (404, 0, 0, 0)
    assert (await consulted.referrer.get(f"{path}/versions")).status == 404
    seat = await consulted.specialist_seat()
    assert await seat.call("end") == {"ok": True}
    assert await seen() == (200, 1, 1, 1)


async def test_history_comes_in_pages(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    for number in range(5):
        await written(consulted, note={"text": f"note {number}"})
    path = entries_of(consulted).replace("entries", "history")
    whole = (await consulted.specialist.get(path)).json
    assert whole["cursor"] is None
    kinds = [item["kind"] for item in whole["items"]]
    assert sorted(set(kinds)) == ["consultation", "entry", "referral"]
    assert all(item[item["kind"]] is not None for item in whole["items"])
    items: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await consulted.specialist.get(f"{path}?most=3&cursor={cursor}")).json
        items += page["items"]
        cursor = page["cursor"]
    assert items == whole["items"]
    notes = (await consulted.specialist.get(f"{path}?kind=entry")).json["items"]
    assert [item["entry"]["note"]["text"] for item in notes] == [f"note {n}" for n in range(4, -1, -1)]
    for query in ("?most=0", "?most=201", "?most=x", "?most=0000019999", "?cursor=x", "?kind=soup"):
        assert (await consulted.specialist.get(path + query)).error_id == "request.malformed"


async def test_search_over_ones_own_patients(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    await written(consulted, lesion=MOLE)
    await written(consulted, condition={"words": "特应性皮炎", "system": "icd-10", "code": "L20.9"})
    other = await clinic.signed_in(clinic.other_specialist)
    for body, kinds in (
        ({"words": "quispe"}, ["patient"]),
        ({"words": "皮炎"}, ["entry"]),
        ({"code": "L20"}, ["entry"]),
        ({"site": "upper_limb"}, ["entry"]),
        ({"words": "nothing like it"}, []),
        (
            {"patient_id": consulted.referral["patient"]["patient_id"]},
            ["entry", "entry", "referral", "patient"],
        ),
    ):
        found = (await consulted.specialist.post("/api/search", body)).json["hits"]
        assert sorted(hit["kind"] for hit in found) == sorted(kinds), body
        assert all(hit["patient"]["name"] == "Ana Quispe" for hit in found)
        assert (await other.post("/api/search", body)).json["hits"] == []
    first = (await consulted.specialist.post("/api/search", {"most": 1})).json
    rest = await consulted.specialist.post("/api/search", {"most": 200, "cursor": first["cursor"]})
    assert len(first["hits"]) == 1
    assert len(rest.json["hits"]) == 3
    for body in ({"since": "2026-01-01T00:00:00"}, {"most": 0}, {"cursor": "x"}, {"soup": 1}):
        assert (await consulted.specialist.post("/api/search", body)).error_id == "request.malformed"
    for body in ({"code": "L"}, {"site": "antenna"}, {"words": "?!"}):
        assert (await consulted.specialist.post("/api/search", body)).error_id == "record.invalid"
    assert (await consulted.patient.post("/api/search", {"words": "ana"})).error_id == "access.denied"


async def test_body_sites_have_both_languages(clinic: Clinic) -> None:
    specialist = await clinic.signed_in(clinic.specialist)
    sites = (await specialist.get("/api/body-sites")).json["sites"]
    forearm = next(site for site in sites if site["code"] == "forearm")
    assert forearm == {
        "code": "forearm",
        "parent": "upper_limb",
        "paired": True,
        "words_en": "Forearm",
        "words_zh": "前臂",
    }
