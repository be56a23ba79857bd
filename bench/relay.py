"""What a forwarded packet costs: TrueHue's relay beside Janus, aiortc's MediaRelay and LiveKit, under one
load.

The load (bench/load) is one program for every relay. In each room one publisher sends 720p VP8 of 1.5
Mbit/s, 30 frames/s, and Opus, 50 packets/s: real coded media, cut and paced as a browser's sender does it;
one or three viewers receive both. All of them speak ICE, DTLS and SRTP, with transport-cc, NACK and RTX,
PLI, SR and RR as browsers do, and neither encode nor decode. The relay picks SRTP's cipher, as it would
with a browser.

CPU is user and system time of the relay's whole process, threads and children included, by packet that
reached a viewer (RTP, retransmissions not counted). Delay is from just before a publisher's sendto to the
kernel's arrival time at a viewer, of every eighth packet, which is decrypted and recognised by its last
bytes: what a relay did not forward unaltered is not counted as delivered well. Both ends are on one host
and one clock, so that a delay holds two passes through the kernel besides the relay.

All relays run in a network namespace of this bench's own, each for itself, in turns, the order reversed
every other time; a figure is the median. Sizes: 5 rooms beside the others; more rooms for ours alone, as
far as the machine carries them. A relay that could not be had is named, and no ratio to it is printed.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.harness import Options, PeerDidNotRun, Report, interleaved, machine, parse, percentile
from bench.load import namespace
from bench.load.processes import cpu_s
from bench.load.trace import Trace, load_trace
from bench.load.traffic import Counts, Room, Traffic
from bench.relays import janus, livekit
from bench.relays.interface import CannotRun, Relay
from bench.relays.janus import Janus
from bench.relays.livekit import LiveKit
from bench.relays.mediarelay import AiortcMediaRelay
from bench.relays.truehue import TrueHue

ROOMS = 5
VIEWERS = (1, 3)
GROWTH = (20, 40, 80)
WARM_UP_S = 1.5
CARRIED = 0.99
"""Below this share of what should have come, a relay did not carry the load."""
LATE_MS = 100.0
"""A generator that sends so late (99th percentile) has not made the load that it should."""

OURS: Mapping[str, Callable[[], Relay]] = {
    "truehue native": lambda: TrueHue(native=True),
    "truehue python": lambda: TrueHue(native=False),
}
PEERS: Mapping[str, Callable[[], Relay]] = {"janus": Janus, "livekit": LiveKit}
CODING_AGAIN: Mapping[str, Callable[[], Relay]] = {"mediarelay": AiortcMediaRelay}


@dataclass(frozen=True, slots=True)
class Length:
    """How long a run takes."""

    repetitions: int
    seconds: float
    growth: Sequence[int]
    growth_repetitions: int
    growth_viewers: Sequence[int]


QUICK = Length(1, 2.0, (20,), 1, (1,))
DEFAULT = Length(3, 4.0, GROWTH, 1, (1,))
FULL = Length(7, 10.0, GROWTH, 3, VIEWERS)


@dataclass(frozen=True, slots=True)
class Run:
    """One measurement of one relay."""

    counts: Counts
    cpu_s: float
    generator_s: float
    told: Mapping[str, object]

    @property
    def us_per_packet(self) -> float:
        """CPU of the relay by packet that reached a viewer."""
        return 1e6 * self.cpu_s / self.counts.delivered

    @property
    def carried(self) -> float:
        """Share of what should have reached viewers."""
        return self.counts.delivered / self.counts.expected if self.counts.expected else 0.0


async def one_run(relay: Relay, trace: Trace, rooms: int, viewers: int, seconds: float) -> Run:
    """Start a relay, fill it, measure, end it. Raises CannotRun, ConnectionError."""
    host = namespace.HOST if namespace.inside() else "127.0.0.1"
    slots = trace.slots()
    with tempfile.TemporaryDirectory() as folder:
        told = await relay.start(Path(folder), host)
        filled = [Room(host, trace, slots, viewers) for _ in range(rooms)]
        traffic = Traffic(filled)
        try:
            for index, room in enumerate(filled):
                await relay.publish(index, room.publisher)
                await room.publisher.connect()
            traffic.start()
            await asyncio.sleep(0.2)  # a relay that announces publishers at their first packet has seen it
            for index, room in enumerate(filled):
                for viewer in room.viewers:
                    await relay.subscribe(index, viewer)
                    await viewer.connect()
            traffic.settle()
            await asyncio.sleep(WARM_UP_S)
            before_s, own_before_s = cpu_s(relay.pid), time.process_time()
            counts = await traffic.measure(seconds)
            used_s, own_used_s = cpu_s(relay.pid) - before_s, time.process_time() - own_before_s
        finally:
            await traffic.close()
            await relay.stop()
    if not counts.delivered:
        raise ConnectionError("nothing reached a viewer")
    return Run(counts, used_s, own_used_s, told)


class Bench:
    """Runs, and what they gave: by relay, rooms and viewers the good measurements."""

    def __init__(self, report: Report, trace: Trace, length: Length) -> None:
        self.report = report
        self.length = length
        self._trace = trace
        self.costs: dict[tuple[str, int, int], list[float]] = {}
        self.delays: dict[tuple[str, int, int], list[float]] = {}
        self.absent: dict[str, str] = {}

    async def measure(
        self, name: str, make: Callable[[], Relay], rooms: int, viewers: int, turn: int
    ) -> None:
        """One run of one relay, noted; what cannot run is not tried again."""
        if name in self.absent:
            return
        relay = make()
        try:
            run = await one_run(relay, self._trace, rooms, viewers, self.length.seconds)
        except CannotRun as reason:
            self.absent[name] = str(reason)
            return
        counts = run.counts
        self.report.conditions.update({key: str(value) for key, value in run.told.items()})
        problem = self._problem(run, alters_media=relay.alters_media)
        delays = counts.delays_us
        self.report.row(
            relay=name,
            rooms=rooms,
            viewers=viewers,
            repetition=turn + 1,
            cpu_us_per_packet=round(run.us_per_packet, 2),
            cpu_share=round(run.cpu_s / counts.elapsed_s, 3),
            packets_per_s=round(counts.delivered / counts.elapsed_s),
            carried=round(run.carried, 4),
            delay_p50_us=round(percentile(delays, 50)) if delays else None,
            delay_p99_us=round(percentile(delays, 99)) if delays else None,
            lost=counts.lost,
            retransmitted=counts.retransmitted,
            keyframes_asked=counts.keyframes_asked,
            generator_late_p99_ms=round(counts.late_p99_ms, 1),
            generator_cpu_share=round(run.generator_s / counts.elapsed_s, 3),
            problem=problem,
        )
        self._print(self.report.rows[-1])
        if problem is None:
            key = (name, rooms, viewers)
            self.costs.setdefault(key, []).append(run.us_per_packet)
            self.delays.setdefault(key, []).extend(delays)

    @staticmethod
    def _problem(run: Run, *, alters_media: bool) -> str | None:
        if run.counts.late_p99_ms > LATE_MS:
            return "the load generator fell behind"
        if alters_media:
            return None
        if run.counts.unrecognised:
            return "packets came that nobody sent"
        return None if run.carried >= CARRIED else "the relay did not carry the load"

    @staticmethod
    def _print(row: Mapping[str, object]) -> None:
        delay = (
            f"{row['delay_p50_us']} / {row['delay_p99_us']} us" if row["delay_p50_us"] is not None else "-"
        )
        problem = f"  ({row['problem']})" if row["problem"] else ""
        print(
            f"{row['relay']:<15} {row['rooms']:>3} rooms x {row['viewers']}: "
            f"{row['cpu_us_per_packet']:8.1f} us/packet, {row['cpu_share']:.2f} cores, "
            f"delay p50/p99 {delay}{problem}",
            flush=True,
        )

    async def run_all(self) -> None:
        """The comparison, then what more rooms cost."""
        for viewers in VIEWERS:
            for turn, name, make in interleaved({**OURS, **PEERS}, self.length.repetitions):
                await self.measure(name, make, ROOMS, viewers, turn)
            for name, make in CODING_AGAIN.items():
                await self.measure(name, make, 1, viewers, 0)
        for viewers in self.length.growth_viewers:
            for rooms in self.length.growth:
                for turn, name, make in interleaved(OURS, self.length.growth_repetitions):
                    await self.measure(name, make, rooms, viewers, turn)

    def conclude(self) -> None:
        """Figures; a ratio only where both sides have run."""
        report = self.report
        for name, reason in self.absent.items():
            report.conditions[f"{name}: not run"] = reason
        for viewers in VIEWERS:
            peer = self.costs.get(("janus", ROOMS, viewers), [])
            for kind in ("native", "python"):
                ours = self.costs.get((f"truehue {kind}", ROOMS, viewers), [])
                try:
                    report.ratio(f"cpu_vs_janus_{kind}_{viewers}", ours, peer)
                except PeerDidNotRun as reason:
                    report.conditions[f"no ratio for {kind}, {viewers} viewers"] = str(reason)
        served_by = next((name for name in OURS if (name, ROOMS, 1) in self.delays), None)
        for prefix, side in (("", served_by), ("janus_", "janus")):
            delays = self.delays.get((side, ROOMS, 1), []) if side else []
            if delays:
                report.figure(f"{prefix}delay_p50_us", percentile(delays, 50))
                report.figure(f"{prefix}delay_p99_us", percentile(delays, 99))
        for (name, rooms, viewers), costs in self.costs.items():
            unit = name.replace(" ", "_")
            report.figure(f"{unit}_us_per_packet_{rooms}x{viewers}", statistics.median(costs))


async def measure(options: Options) -> Report:
    """Run everything and return the report."""
    length = QUICK if options.quick else FULL if options.full else DEFAULT
    trace = load_trace()
    conditions = machine("aiortc", "pylibsrtp", "uvloop")
    report = Report("relay", conditions)
    report.conditions |= {
        "load": f"{trace.video_bps / 1e6:.2f} Mbit/s VP8, Opus; {trace.packets_per_s:.0f} packets/s a room",
        "rooms": ROOMS,
        "network": "a namespace of its own" if namespace.inside() else "loopback: Janus offers nothing there",
        "repetitions": length.repetitions,
        "seconds": length.seconds,
    }
    bench = Bench(report, trace, length)
    await bench.run_all()
    bench.conclude()
    return report


def main() -> None:
    """`./dev bench relay`."""
    options = parse("relay", __doc__ or "", has_full=True)
    if not namespace.inside():
        load_trace()
        janus.install()
        livekit.install()
        if namespace.can_enter():
            sys.exit(namespace.run_inside("bench.relay", sys.argv[1:]))
        print("no network namespace (root, Linux and iproute2 are needed): the others will not run")
    os.environ["PYTHONUTF8"] = "1"
    uvloop.run(measure(options)).finish(options)


if __name__ == "__main__":
    main()
