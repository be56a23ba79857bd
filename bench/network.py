"""How the call fares on a bad network: real Chromium pages over the relay, each behind a seeded UDP proxy.

viewer: 1 Mbit/s, 50 ms each way, 2 % loss towards the viewer. utilisation: delivered bits, probes' padding
left out, against what the bottleneck could pass on; queue_delay_p95_ms: wait at the bottleneck. drop: 2 to
0.5 Mbit/s; drop_recovery_s: until packets wait less than 100 ms again; longest_freeze_ms: the longest time
without a newly shown frame from the drop on. loss: 10 % towards the viewer; audio_concealed_percent:
samples that the viewer's player made up for lost ones, audio_silence_percent: those of them that were
silence. migration_s: the longest time without a newly shown frame after viewer or publisher came from
another address. publisher_*: the same on the publisher's path, which the browser's own estimator fills from
the relay's feedback. emulated_*: the relay's side alone, in simulated time. Each is a median; *_worst is not.

Each case is a call of its own, of 12 s until the estimate has found the path and 10 s that are measured;
three times each that takes 8 minutes, and with --quick once and 6 s, two. Each call's figures are printed as
it ends.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from bench.harness import Options, Report, interleaved, machine, parse
from bench.impaired_call import (
    ImpairedCall,
    impaired_call,
    queue_delay_p95_ms,
    recovered_after_s,
    utilisation,
    write_camera,
    write_microphone,
)
from media.simulated.scene import Scene, SceneOptions
from tests.media.congestion.call import Call
from tests.media.picture_call import PictureCall
from tests.support.browser import launch_chromium
from tests.support.impairment import Link, Schedule, UdpProxy
from tests.support.netem import Conditions

SIZE = (640, 360)
MAX_BPS = 2_500_000
WARM_S = 12.0
MEASURED_S = 10.0
QUICK_MEASURED_S = 6.0
SETUP_S = 3.0
"""Until pages are connected, about."""
REPETITIONS = 3
EMULATED = 16
AMPLE: Schedule = [(0.0, Conditions(delay_s=0.005))]
STEADY: Schedule = [(0.0, Conditions(rate_bps=1e6, delay_s=0.05, loss=0.02))]
DROP: Schedule = [
    (0.0, Conditions(rate_bps=2e6, delay_s=0.05)),
    (WARM_S, Conditions(rate_bps=0.5e6, delay_s=0.05)),
]
LOSSY: Schedule = [(0.0, Conditions(rate_bps=4e6, delay_s=0.05, loss=0.1))]
WIFI: Schedule = [(0.0, Conditions(rate_bps=4e6, delay_s=0.02))]

Row = dict[str, float]
Case = Callable[[Browser, float, int], Awaitable[Row]]


async def call_until(
    browser: Browser,
    until_s: float,
    seed: int,
    measure: Callable[[ImpairedCall], Awaitable[Row]],
    *,
    publishers: Schedule = AMPLE,
    viewers: Schedule = AMPLE,
) -> Row:
    """Hold a call, and measure it at a time of its proxies."""
    async with impaired_call(
        browser, size=SIZE, max_bps=MAX_BPS, publishers=publishers, viewers=viewers, seed=seed
    ) as call:
        await asyncio.sleep(max(0.0, until_s - call.viewers_path.now))
        return await measure(call)


def narrowed(side: str, call: ImpairedCall) -> Link:
    """The link that a schedule for one side describes."""
    return call.viewers_path.to_client if side == "viewers" else call.publishers_path.to_server


async def steady(side: str, browser: Browser, measured_s: float, seed: int) -> Row:
    """The viewer's or the publisher's path is narrow and loses packets. side: "viewers" or "publishers"."""
    end_s = WARM_S + measured_s

    async def measure(call: ImpairedCall) -> Row:
        link = narrowed(side, call)
        return {
            "utilisation": utilisation(link, WARM_S, end_s),
            "queue_delay_p95_ms": queue_delay_p95_ms(link, WARM_S, end_s),
            "longest_freeze_ms": await call.longest_freeze_ms(WARM_S, end_s),
        }

    return await call_until(browser, end_s, seed, measure, **{side: STEADY})


async def drop(side: str, browser: Browser, measured_s: float, seed: int) -> Row:
    """The viewer's or the publisher's path becomes narrow."""
    end_s = WARM_S + measured_s

    async def measure(call: ImpairedCall) -> Row:
        link = narrowed(side, call)
        return {
            "utilisation_before": utilisation(link, WARM_S - 4, WARM_S),
            "drop_recovery_s": min(measured_s, recovered_after_s(link.passed, WARM_S)),
            "longest_freeze_ms": await call.longest_freeze_ms(WARM_S, end_s),
            "utilisation": utilisation(link, WARM_S + 4, end_s),
        }

    return await call_until(browser, end_s, seed, measure, **{side: DROP})


async def viewer_loss(browser: Browser, measured_s: float, seed: int) -> Row:
    """Much is lost towards the viewer."""
    before: Row = {}
    names = ("concealedSamples", "silentConcealedSamples", "totalSamplesReceived", "concealmentEvents")

    async def begin(call: ImpairedCall) -> Row:
        audio = await call.audio()
        before.update({name: float(audio.get(name, 0)) for name in names})
        begin_s = call.viewers_path.now
        await asyncio.sleep(measured_s)
        audio = await call.audio()
        grown = {name: float(audio.get(name, 0)) - before[name] for name in names}
        total = grown["totalSamplesReceived"]
        return {
            "audio_concealed_percent": 100 * grown["concealedSamples"] / total,
            "audio_silence_percent": 100 * grown["silentConcealedSamples"] / total,
            "audio_concealments_per_s": grown["concealmentEvents"] / measured_s,
            "longest_freeze_ms": await call.longest_freeze_ms(begin_s, begin_s + measured_s),
        }

    return await call_until(browser, WARM_S, seed, begin, viewers=LOSSY)


async def migration(browser: Browser, measured_s: float, seed: int) -> Row:
    """Viewer, then publisher, come from another address."""

    async def interruption_s(call: ImpairedCall, moving: UdpProxy) -> float:
        at_s = call.viewers_path.now
        moving.move("127.0.0.2")
        await asyncio.sleep(measured_s / 2)
        return await call.longest_freeze_ms(at_s - 0.1, call.viewers_path.now) / 1e3

    async def measure(call: ImpairedCall) -> Row:
        return {
            "viewer_migration_s": await interruption_s(call, call.viewers_path),
            "publisher_migration_s": await interruption_s(call, call.publishers_path),
        }

    return await call_until(browser, WARM_S, seed, measure, publishers=WIFI, viewers=WIFI)


CASES: dict[str, Case] = {
    "viewer_steady": partial(steady, "viewers"),
    "viewer_drop": partial(drop, "viewers"),
    "viewer_loss": viewer_loss,
    "migration": migration,
    "publisher_steady": partial(steady, "publishers"),
    "publisher_drop": partial(drop, "publishers"),
}


def emulated(seed: int) -> Row:
    """The same paths in simulated time; each seed drops at another moment of a picture's way."""
    steady = Call(STEADY, seed=seed).run(40.0)
    drop_s = WARM_S + 0.017 * seed
    drop = PictureCall([(0.0, DROP[0][1]), (drop_s, DROP[1][1])], seed).run(22.0)
    return {
        "utilisation": steady.utilisation(20.0, 40.0),
        "queue_delay_p95_ms": steady.queue_p95_ms(20.0, 40.0),
        "drop_recovery_s": drop.followed_after_s(drop_s),
        "longest_freeze_ms": 1e3 * drop.longest_freeze_s(drop_s, 22.0),
    }


async def measure(options: Options) -> Report:
    """Run every case and return the report."""
    report = Report("network")
    measured_s = QUICK_MEASURED_S if options.quick else MEASURED_S
    repetitions = 1 if options.quick else REPETITIONS
    total = repetitions * len(CASES)
    minutes = total * (SETUP_S + WARM_S + measured_s) / 60
    print(f"{total} calls, about {minutes:.0f} minutes: {', '.join(CASES)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        camera = Path(folder) / "camera.y4m"
        write_camera(camera, Scene(SceneOptions(width_px=SIZE[0], height_px=SIZE[1])), seed=1)
        async with async_playwright() as playwright:
            voice = Path(folder) / "voice.wav"
            write_microphone(voice)
            browser = await launch_chromium(
                playwright, camera, (f"--use-file-for-fake-audio-capture={voice}",)
            )
            report.conditions = {
                **machine("aiortc", "pylibsrtp"),
                "browser": f"Chromium {browser.version}",
                "picture": f"{SIZE[0]} x {SIZE[1]}, 30 frames/s, VP8, grain",
                "warm_s": WARM_S,
                "measured_s": measured_s,
                "repetitions": repetitions,
            }
            for done, (repetition, name, case) in enumerate(interleaved(CASES, repetitions), 1):
                row = await case(browser, measured_s, 100 * (repetition + 1))
                report.row(case=name, repetition=repetition, **row)
                told = ", ".join(f"{key} {value:.4g}" for key, value in row.items())
                print(f"{done}/{total} {name}: {told}", flush=True)
            await browser.close()
    for seed in range(1, EMULATED + 1):
        report.row(case="emulated", repetition=seed - 1, **emulated(seed))
    conclude(report)
    return report


def conclude(report: Report) -> None:
    """Medians over the repetitions, and the longest freezes of all."""

    def values(case: str, name: str) -> list[float]:
        return [float(str(row[name])) for row in report.rows if row["case"] == case]

    def median(case: str, name: str) -> float:
        return statistics.median(values(case, name))

    report.figure("utilisation", median("viewer_steady", "utilisation"))
    report.figure("queue_delay_p95_ms", median("viewer_steady", "queue_delay_p95_ms"))
    report.figure("drop_recovery_s", median("viewer_drop", "drop_recovery_s"))
    report.figure("longest_freeze_ms", median("viewer_drop", "longest_freeze_ms"))
    report.figure("longest_freeze_worst_ms", max(values("viewer_drop", "longest_freeze_ms")))
    report.figure(
        "migration_s",
        max(median("migration", f"{who}_migration_s") for who in ("viewer", "publisher")),
    )
    for name in ("audio_concealed_percent", "audio_silence_percent"):
        report.figure(name, median("viewer_loss", name))
    for name in ("utilisation", "queue_delay_p95_ms"):
        report.figure(f"publisher_{name}", median("publisher_steady", name))
    for name in ("drop_recovery_s", "longest_freeze_ms"):
        report.figure(f"publisher_{name}", median("publisher_drop", name))
    report.figure("publisher_longest_freeze_worst_ms", max(values("publisher_drop", "longest_freeze_ms")))
    for name in ("utilisation", "queue_delay_p95_ms", "drop_recovery_s", "longest_freeze_ms"):
        report.figure(f"emulated_{name}", median("emulated", name))


def main() -> None:
    """`./dev bench network`."""
    options = parse("network", __doc__ or "")
    asyncio.run(measure(options)).finish(options)


if __name__ == "__main__":
    main()
