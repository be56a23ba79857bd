"""The simulated patient in the real server: seen, calibrated, photographed, thanked."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorcal.patches import sample_patches
from media.simulated.patient import PatientOptions, run
from media.simulated.scene import Scene, SceneOptions
from media.yuv import rgb_from_yuv
from tests.signaling.clinic import Clinic, Consulted, Seat, participant_of

OPTIONS = PatientOptions(SceneOptions(width_px=960, height_px=540), fps=10, still_size_px=(2016, 1512))


@asynccontextmanager
async def living(consulted: Consulted) -> AsyncIterator[asyncio.Task[None]]:
    """A simulated patient at the other end of the personal link."""
    stop = asyncio.Event()
    link = f"{consulted.clinic.url}/p/#{consulted.token}"
    task = asyncio.create_task(run(link, OPTIONS, stop))
    try:
        yield task
    finally:
        stop.set()
        await task


async def eventually(seat: Seat, name: str, holds: Callable[[Any], bool] = lambda _: True) -> Any:
    """An event that color workers make: their processes start first, which a busy machine drags out."""
    async with asyncio.timeout(180):
        while True:
            with contextlib.suppress(TimeoutError):
                return await seat.until(name, holds)


async def admitted(specialist: Seat) -> str:
    """Let the patient in as soon as one waits; the participant_id."""
    waiting = await specialist.state(lambda view: admission(view) == "waiting")
    patient_id = str(participant_of(waiting, "patient")["participant_id"])
    assert await specialist.call("admit", {"participant_id": patient_id}) == {"ok": True}
    return patient_id


def admission(view: dict[str, object]) -> object:
    return participant_of(view, "patient")["admission"]


async def test_a_whole_consultation(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist = await consulted.specialist_seat()
    async with living(consulted) as patient:
        patient_id = await admitted(specialist)
        await specialist.state(lambda view: sources(view) == {"camera", "microphone"})

        lut = await eventually(specialist, "lut")
        assert lut["calibration"]["report"]["grade"] in ("good", "usable")
        assert improves(lut["lut"], lut["size"])

        # 540 lines are too few to judge by, and it says so.
        seen = await specialist.state(lambda view: view["fidelity"] is not None)
        assert seen["fidelity"]["purpose"] == "conversation"
        assert seen["fidelity"]["reasons"][0] == "small"
        statistics = await specialist.call("statistics")
        camera = next(one for one in statistics["publications"] if one["source"] == "camera")
        assert (camera["codec"], camera["width_px"], camera["height_px"]) == ("VP8", 960, 540)
        assert camera["packets_received"] > 0
        path = next(one for one in statistics["paths"] if one["participant_id"] == patient_id)
        assert path["adaptation"] == "full"

        reply = await specialist.call("capture", {"participant_id": patient_id})
        assert reply["state"] == "requested"
        first = await eventually(specialist, "snapshot")
        corrected = await eventually(specialist, "snapshot", has_corrected)
        snapshot = first["snapshot"]
        assert (snapshot["method"], snapshot["width_px"], snapshot["height_px"]) == ("take_photo", 2016, 1512)
        assert corrected["snapshot"]["calibration"]["grade"] in ("good", "usable")
        assert corrected["snapshot"]["quality"]["chart_visible"]
        assert corrected["snapshot"]["quality"]["verdict"] != "retake"
        original = await consulted.specialist.get(f"/api/snapshots/{snapshot['snapshot_id']}/original")
        assert hashlib.sha256(original.body).hexdigest() == snapshot["sha256"]
        assert Image.open(BytesIO(original.body)).size == (2016, 1512)

        assert await specialist.call("end") == {"ok": True}
        await asyncio.wait_for(patient, 30)
    joined = await consulted.patient.get("/api/join")
    assert joined.json["satisfaction_given"]


async def test_sent_back_and_admitted_again_it_calls_again(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist = await consulted.specialist_seat()
    async with living(consulted):
        patient_id = await admitted(specialist)
        await specialist.state(lambda view: sources(view) == {"camera", "microphone"})
        await specialist.call("send_back", {"participant_id": patient_id, "words": "one moment"})
        await specialist.state(lambda view: sources(view) == set())
        await specialist.call("admit", {"participant_id": patient_id})
        await specialist.state(lambda view: sources(view) == {"camera", "microphone"})


async def test_a_viewer_whose_decoder_shows_other_colors_gets_a_lut_of_its_own(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist = await consulted.specialist_seat()
    async with living(consulted):
        await admitted(specialist)
        shared = await eventually(specialist, "lut")
        assert shared["calibration"]["decoder"] == "unmeasured"
        answers, replies = patches(mistaken), []
        unknown = {"publication_id": shared["calibration"]["publication_id"], "question": 1000, **answers}
        refused = await specialist.call("patches", unknown)
        assert refused["error"]["id"] == "color.not_asked"
        assert (await specialist.call("patches", {"question": 1}))["error"]["id"] == "request.malformed"

        question = 0
        while not [one for one in specialist.named("lut") if one["calibration"]["decoder"] == "corrected"]:
            chart = await eventually(specialist, "chart", newer(question))
            assert len(chart["centers"]) == 24
            question = chart["question"]
            about = {name: chart[name] for name in ("publication_id", "question")}
            replies.append(await specialist.call("patches", {**about, **answers}))
        assert replies.count({"ok": True}) >= 2
        own = specialist.named("lut")[-1]
        assert improves(own["lut"], own["size"], mistaken)
        told = await specialist.state(lambda view: view["calibration"]["decoder"] == "corrected")
        assert "that was measured, and is undone" in told["calibration"]["report"]["words_en"]
        patient = await consulted.patient.get("/api/join")
        assert patient.status == 200, "nobody else is concerned"


def newer(question: int) -> Callable[[Any], bool]:
    return lambda chart: chart["question"] > question


Colors = NDArray[np.float64]


def mistaken(rgb: Colors) -> Colors:
    """BT.601 taken for BT.709, encoded 0 to 255, both of limited range."""
    right, wrong = (rgb_from_yuv(kr, kb, False) for kr, kb in ((0.299, 0.114), (0.2126, 0.0722)))
    yuv = (rgb - right[:, 3]) @ np.linalg.inv(right[:, :3]).T
    return np.asarray(np.clip(yuv @ wrong[:, :3].T + wrong[:, 3], 0, 255), np.float64)


def patches(decoder: Callable[[Colors], Colors]) -> dict[str, Any]:
    """What a page with this decoder measures of the scene's chart, wherever the hand holds it."""
    scene = Scene(OPTIONS.scene)
    seen = sample_patches(scene.frame(0.0), scene.truth(0.0).chart_centers)
    means, spreads = decoder(seen.mean * 255) / 255, seen.spread
    return {
        "patches": [
            {"mean": mean, "spread": spread, "clipped": max(mean) > 0.985, "visible": True}
            for mean, spread in zip(means.tolist(), spreads.tolist(), strict=True)
        ]
    }


def sources(view: dict[str, object]) -> set[str]:
    publications = view["publications"]
    assert isinstance(publications, list)
    return {publication["source"] for publication in publications}


def has_corrected(event: dict[str, dict[str, list[str]]]) -> bool:
    return "corrected" in event["snapshot"]["variants"]


def improves(lut: bytes, size: int, decoder: Callable[[Colors], Colors] = lambda rgb: rgb) -> bool:
    """Whether the LUT brings the scene's skin, as a decoder shows it, at least halfway to its true color, by
    encoded distance."""
    scene = Scene(OPTIONS.scene)
    frame, region = scene.frame(0.0), scene.truth(0.0).region("forearm")
    x0, y0, x1, y1 = region.box
    raw = decoder(frame[y0:y1, x0:x1].reshape(-1, 3).mean(axis=0))
    # Indexed [b, g, r]; the nearest point stands for the color, its own error taken out.
    red, green, blue = np.rint(raw / 255 * (size - 1)).astype(int)
    nearest = np.array([red, green, blue]) * 255 / (size - 1)
    change = np.frombuffer(lut, np.uint8).reshape(size, size, size, 3)[blue, green, red] - nearest
    true = np.array(region.srgb)
    return bool(np.linalg.norm(raw + change - true) < np.linalg.norm(raw - true) / 2)
