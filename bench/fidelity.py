"""`./dev bench fidelity`: what a small lesion keeps on its way from a real Chromium to the viewer's decoder.

A camera shows rendered skin in three tones with 84 macules (12 px, CIEDE2000 3), hand-held, with a
sensor's noise. It is sent at a capped bitrate three ways: as the patient's page sends it through our relay,
page to page with the browser's defaults, and through Janus where it is installed. The viewer's decoded I420
frames are compared with the clean rendering of the same instant: the part of the macules' a* contrast that
is left, CIEDE2000 of the skin, the part of luma's fine texture that is left. --full has every rate, our relay
without chroma emphasis, saturated lesions on and beside cloth, and a path that loses packets: the tables of
docs/fidelity.md.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from playwright.async_api import Browser, Page, async_playwright

from bench.fidelity_janus import janus as through_janus
from bench.fidelity_routes import Inbox, LossyPath, PageToPage, Relayed, Route, pages, relay
from bench.fidelity_scene import FPS, LOOP_FRAMES, SATURATED, LesionScene
from bench.fidelity_score import Score, number_of, read_number, score, to_rgb
from bench.harness import Options, PeerDidNotRun, Report, machine, parse
from bench.load import namespace
from bench.relays.interface import CannotRun
from bench.relays.janus import install as install_janus
from media.emphasis import SKIN, forward_table
from media.interface import ChromaEmphasis
from media.simulated.camera import Illuminant
from media.simulated.i420 import write_y4m
from media.simulated.skin import Tone
from tests.support.browser import launch_chromium

RATES_KBPS = (300, 500, 1000, 2500)
WARM_MS, SAMPLES, SPACING_MS = 7000, 8, 250
STILLS = 4
LOSS = 0.02


@dataclass(frozen=True, slots=True)
class Side:
    """One way to send. sender: "product" or "defaults", see fidelity_page/main.ts."""

    name: str
    route: str
    sender: str
    kbps: int
    emphasis: ChromaEmphasis | None = None
    content_hint: str = ""

    def order(self) -> dict[str, Any]:
        """What the sending page is told."""
        tables = None
        if self.emphasis is not None:
            codes = (self.emphasis.center_u, self.emphasis.center_v)
            u, v = (forward_table(center, self.emphasis.softness).tolist() for center in codes)
            tables = {"u": u, "v": v}
        return {
            "sender": self.sender,
            "cap_bps": 1000 * self.kbps,
            "tables": tables,
            "content_hint": self.content_hint,
        }


def ours(kbps: int) -> Side:
    """As the patient's page sends."""
    return Side("ours", "relay", "product", kbps, SKIN)


def plain(kbps: int) -> Side:
    """As the patient's page sends where a viewer cannot undo emphasis."""
    return Side("ours, no emphasis", "relay", "product", kbps)


def defaults(kbps: int) -> Side:
    """As a browser sends by itself."""
    return Side("defaults", "direct", "defaults", kbps)


def janus(kbps: int) -> Side:
    """As a browser sends by itself, through Janus."""
    return Side("janus", "janus", "defaults", kbps)


class Bench:
    """A browser for each scene, one connection after the other."""

    def __init__(self, url: str, inbox: Inbox, routes: dict[str, Route], report: Report) -> None:
        self._url, self._inbox, self._routes, self._report = url, inbox, routes, report
        self.kept: dict[tuple[str, int, str], list[float]] = {}
        """(side, kbit/s, tone) -> contrast kept; likewise for texture."""
        self.texture: dict[tuple[str, int, str], list[float]] = {}
        self.still: list[float] = []

    def runs(self, route: str) -> bool:
        """Whether this way can be gone here."""
        return route in self._routes

    async def watch(
        self, browser: Browser, tone: Tone, scene: LesionScene, what: str, sides: Sequence[Side]
    ) -> None:
        """Send the scene each way in turn, and keep the scores."""
        context = await browser.new_context()
        sender, viewer = await context.new_page(), await context.new_page()
        for page in (sender, viewer):
            await page.goto(self._url)
        for side in sides:
            if self.runs(side.route):
                await self._one(sender, viewer, tone, scene, what, side)
        if what == "macules":
            await self._take_stills(sender, tone, scene)
        await context.close()

    async def _one(
        self, sender: Page, viewer: Page, tone: Tone, scene: LesionScene, what: str, side: Side
    ) -> None:
        self._inbox.frames.clear()
        await self._routes[side.route].connect(sender, viewer, side.order())
        await viewer.evaluate("(ms) => bench.watch(ms)", WARM_MS)
        before = await sender.evaluate("() => bench.sent()")
        sampled = "([to, count, spacing]) => bench.sample(to, count, spacing)"
        await viewer.evaluate(sampled, [f"{self._url}frame", SAMPLES, SPACING_MS])
        after = await sender.evaluate("() => bench.sent()")
        for page in (sender, viewer):
            await page.evaluate("() => bench.end()")
        numbered = [(frame, number_of(frame)) for frame in self._inbox.frames]
        scores = [score(scene, to_rgb(f, side.emphasis), n) for f, n in numbered if n is not None]
        if not scores:
            raise RuntimeError(f"{side.name} at {side.kbps} kbit/s: no frame's number could be read")
        elapsed_s = (after["at_ms"] - before["at_ms"]) / 1000
        frames = after["frames"] - before["frames"]
        self._report.row(
            scene=what,
            tone=tone.value,
            side=side.name,
            kbps=side.kbps,
            sent_kbps=round((after["bytes"] - before["bytes"]) * 8 / 1000 / elapsed_s),
            fps=round(frames / elapsed_s, 1),
            height_px=self._inbox.frames[-1].height_px,
            quantiser=round((after["qp"] - before["qp"]) / max(1, frames)),
            read=len(scores),
            **_medians(scores),
        )
        if what == "macules":
            key = (side.name, side.kbps, tone.value)
            self.kept.setdefault(key, []).append(_median(scores, "kept"))
            self.texture.setdefault(key, []).append(_median(scores, "texture"))
        _print_row(self._report.rows[-1])

    async def _take_stills(self, sender: Page, tone: Tone, scene: LesionScene) -> None:
        """Several, since the noise of one moves its score by a point or two."""
        self._inbox.stills.clear()
        methods = [
            await sender.evaluate("(to) => bench.still(to)", f"{self._url}still") for _ in range(STILLS)
        ]
        kept = []
        for taken in self._inbox.stills:
            bgr = cv2.imdecode(np.frombuffer(taken, np.uint8), cv2.IMREAD_COLOR)
            if bgr is None:
                raise RuntimeError("the still is no picture")
            rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.float32)
            number = read_number(rgb)
            if number is None:
                raise RuntimeError("the still's number could not be read")
            kept.append(score(scene, rgb, number).kept)
        self.still += kept
        size = round(statistics.mean(len(taken) for taken in self._inbox.stills))
        average = round(statistics.mean(kept), 3)
        self._report.row(scene="still", tone=tone.value, side=methods[0], kept=average, bytes=size)
        _print_row(self._report.rows[-1])


async def measure(options: Options) -> Report:
    """Run all of it and return the report."""
    report = Report("fidelity")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            pages(folder) as (url, inbox),
            relay() as worker,
            LossyPath.to(worker.port, LOSS) as lossy,
            async_playwright() as playwright,
            AsyncExitStack() as peers,
        ):
            routes: dict[str, Route] = {
                "direct": PageToPage(),
                "relay": Relayed(worker),
                "lossy": Relayed(worker, lossy.port),
            }
            try:
                routes["janus"] = await peers.enter_async_context(through_janus(folder / "janus"))
            except CannotRun as reason:
                print(reason)
            bench = Bench(url, inbox, routes, report)
            for what, tone, sides in _plan(options):
                scene = _scene(what, tone)
                video = folder / "camera.y4m"
                await asyncio.to_thread(write_y4m, video, scene, FPS, LOOP_FRAMES / FPS)
                browser = await launch_chromium(playwright, video)
                report.conditions = report.conditions or {
                    **machine("aiortc", "opencv-python-headless"),
                    "browser": f"Chromium {browser.version}",
                    "codec": "VP8",
                    "camera": f"{scene.width_px}x{scene.height_px}, {FPS} frames/s",
                    "warm_ms": WARM_MS,
                    "janus": bench.runs("janus"),
                }
                await bench.watch(browser, tone, scene, what, sides)
                await browser.close()
    _conclude(report, bench)
    return report


def _plan(options: Options) -> Iterator[tuple[str, Tone, list[Side]]]:
    """(scene, tone, sides), the order of sides reversed every other time."""
    rates = RATES_KBPS if options.full else (500, 300)
    for index, tone in enumerate((Tone.LIGHT,) if options.quick else Tone):
        sides = [ours(rate) for rate in rates]
        sides += [janus(500), *(defaults(rate) for rate in rates if options.full or rate == 500)]
        if options.full:
            sides += [plain(500), plain(300)]
        yield "macules", tone, sides if index % 2 == 0 else sides[::-1]
    if options.full:
        for tone in (Tone.LIGHT, Tone.DARK):
            yield "saturated", tone, [make(rate) for rate in (500, 300) for make in (ours, plain, defaults)]
        yield "tungsten", Tone.LIGHT, [ours(500), plain(500), defaults(500)]
        hinted = [
            replace(ours(500), name=f"ours, hint {hint}", content_hint=hint) for hint in ("motion", "text")
        ]
        yield "hints", Tone.DARK, [ours(500), *hinted]
        yield "2 % lost", Tone.TAN, [replace(make(500), route="lossy") for make in (ours, plain)]


def _scene(what: str, tone: Tone) -> LesionScene:
    if what == "saturated":
        return LesionScene(tone, spots=SATURATED, cloth=True)
    if what == "tungsten":
        return LesionScene(tone, illuminant=Illuminant.TUNGSTEN)
    return LesionScene(tone)


def _medians(scores: list[Score]) -> dict[str, float]:
    values = {name: round(_median(scores, name), 3) for name in ("kept", "de00", "texture", "blob")}
    for radius in sorted({spot.radius_px for spot, _ in scores[0].spots}):
        errors = [[error for spot, error in one.spots if spot.radius_px == radius] for one in scores]
        values[f"spots_{2 * radius}px_de00"] = round(float(np.median(np.mean(errors, axis=1))), 2)
        values[f"worst_spot_{2 * radius}px_de00"] = round(float(np.median(errors, axis=0).max()), 2)
    return values


def _median(scores: list[Score], name: str) -> float:
    return statistics.median(float(getattr(one, name)) for one in scores)


def _conclude(report: Report, bench: Bench) -> None:
    """The figures. A ratio whose peer did not run is left out, and said so."""
    tones = sorted({tone for _, _, tone in bench.kept})

    def of(table: dict[tuple[str, int, str], list[float]], side: str, kbps: int) -> list[float]:
        return [statistics.median(table[side, kbps, t]) for t in tones if (side, kbps, t) in table]

    for peer in ("defaults", "janus"):
        name = "default" if peer == "defaults" else peer
        try:
            mine, theirs = of(bench.kept, "ours", 500), of(bench.kept, peer, 500)
            if not theirs:
                raise PeerDidNotRun(f"contrast_vs_{name}_500: {peer} did not run, so there is no ratio")
            report.figure(f"contrast_vs_{name}_500", statistics.mean(mine) / statistics.mean(theirs))
            if peer == "defaults":
                worst = min(m / t for m, t in zip(mine, theirs, strict=True))
                report.figure("worst_tone_contrast_vs_default_500", worst)
                texture = of(bench.texture, "ours", 500), of(bench.texture, peer, 500)
                report.figure(
                    "texture_vs_default_500", statistics.mean(texture[0]) / statistics.mean(texture[1])
                )
        except PeerDidNotRun as missing:
            print(missing)
    report.figure("contrast_kept_500", statistics.mean(of(bench.kept, "ours", 500)))
    report.figure("contrast_kept_300", statistics.mean(of(bench.kept, "ours", 300)))
    report.figure("still_contrast_kept", statistics.mean(bench.still))


def _print_row(row: dict[str, Any]) -> None:
    print(", ".join(f"{name} {value}" for name, value in row.items()), flush=True)


def main() -> None:
    """`./dev bench fidelity`."""
    options = parse("fidelity", __doc__ or "", has_full=True)
    if namespace.can_enter() and not namespace.inside():
        install_janus()
        sys.exit(namespace.run_inside("bench.fidelity", sys.argv[1:]))
    cv2.setNumThreads(1)
    asyncio.run(measure(options)).finish(options)


if __name__ == "__main__":
    main()
