"""`./dev soak`: 24 rooms for ten minutes, to see that nothing grows and no picture stays away.

The load is that of `./dev bench relay`, in 24 rooms of two viewers, with the trouble of a day: one viewer
of a room leaves and another comes every few seconds, and one packet in fifty that a viewer gets is treated
as lost, so that NACK, RTX and the relay's history are at work all the time. The relay runs in a process of
its own and says every ten seconds how long its tables are; its memory is read from /proc. Judged
(bench/soak_judge.py): memory and every table at the end against their values after a warm-up; that every
viewer that came got a keyframe within two seconds; that what was asked for again came. Exit code 1 when
something failed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import uvloop

from bench.load.processes import cpu_s, resident_bytes
from bench.load.trace import load_trace
from bench.load.traffic import Room, Traffic
from bench.relays.truehue import TrueHue
from bench.soak_judge import Sample, judge

HOST = "127.0.0.1"
ROOMS = 24
VIEWERS = 2
SAMPLE_S = 9.97
"""No multiple of the 0.1 s in which feedback is gathered: a table that fills and empties with it is met at
every length."""
CHANGE_S = 0.5
"""Between one viewer's going and the next; every room has its turn every twelve seconds."""
WARM_UP_SHARE = 0.3
LOSS_ONE_IN = 50
KEYFRAME_WITHIN_S = 2.0


class Soak:
    """The rooms, and who is in them."""

    def __init__(self, relay: TrueHue) -> None:
        trace = load_trace()
        slots = trace.slots()
        self.relay = relay
        self.rooms = [Room(HOST, trace, slots, VIEWERS) for _ in range(ROOMS)]
        self.traffic = Traffic(self.rooms)
        self.names = [[f"viewer{index}.{number}" for number in range(VIEWERS)] for index in range(ROOMS)]
        self.changes = 0
        self.without_picture = 0
        self.lost = 0
        self.recovered = 0
        self._new = ROOMS * VIEWERS

    async def fill(self) -> None:
        """Everybody comes."""
        for index, room in enumerate(self.rooms):
            await self.relay.publish(index, room.publisher)
            await room.publisher.connect()
        self.traffic.start()
        for index, room in enumerate(self.rooms):
            for name, viewer in zip(self.names[index], room.viewers, strict=True):
                viewer.lose_one_in(LOSS_ONE_IN)
                await self.relay.subscribe_as(index, name, viewer)
                await viewer.connect()

    async def change(self) -> None:
        """The oldest viewer of a room goes, another comes, and must see a picture soon."""
        index = self.changes % ROOMS
        self.changes += 1
        room = self.rooms[index]
        gone, name = room.viewers.pop(0), self.names[index].pop(0)
        await self.relay.leave(index, name)
        self._count(gone.dropped, gone.recovered)
        await gone.close()
        comes = room.another_viewer()
        comes.lose_one_in(LOSS_ONE_IN)
        self._new += 1
        self.names[index].append(f"viewer{index}.{self._new}")
        await self.relay.subscribe_as(index, self.names[index][-1], comes)
        await comes.connect()
        room.viewers.append(comes)
        deadline_s = time.monotonic() + KEYFRAME_WITHIN_S
        while not comes.saw_keyframe:
            if time.monotonic() > deadline_s:
                self.without_picture += 1
                return
            await asyncio.sleep(0.01)

    def _count(self, dropped: int, recovered: int) -> None:
        self.lost += dropped
        self.recovered += recovered

    async def close(self) -> None:
        """Everybody goes."""
        for room in self.rooms:
            for viewer in room.viewers:
                self._count(viewer.dropped, viewer.recovered)
        await self.traffic.close()

    async def sample(self, since_s: float) -> Sample:
        """What the relay holds now."""
        tables: Mapping[str, int] = (await self.relay.ask("tables"))["tables"]
        return Sample(time.monotonic() - since_s, resident_bytes(self.relay.pid), dict(tables))


async def run(minutes: float) -> int:
    """Soak; the exit code."""
    relay = TrueHue(native=False)
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory() as folder:
        await relay.start(Path(folder), HOST)
        soak = Soak(relay)
        try:
            await soak.fill()
            began_s, cpu_before_s = time.monotonic(), cpu_s(relay.pid)
            next_sample_s = began_s + SAMPLE_S
            while time.monotonic() - began_s < 60 * minutes:
                await asyncio.sleep(CHANGE_S)
                await soak.change()
                if time.monotonic() >= next_sample_s:
                    next_sample_s += SAMPLE_S
                    samples.append(await soak.sample(began_s))
                    print(samples[-1], flush=True)
            elapsed_s = time.monotonic() - began_s
            used_s = cpu_s(relay.pid) - cpu_before_s
            stats = await relay.ask("stats")
        finally:
            await soak.close()
            await relay.stop()
    print(f"{ROOMS} rooms, {elapsed_s:.0f} s, {soak.changes} viewers came and went")
    print(f"relay: {used_s / elapsed_s:.2f} cores, {stats['received']} packets in, {stats['sent']} out")
    print(f"dropped by the relay: {stats['dropped']}")
    print(f"lost on the way to viewers: {soak.lost}, came again: {soak.recovered}")
    faults = judge(samples, WARM_UP_SHARE, soak.without_picture, soak.lost, soak.recovered)
    for fault in faults:
        print(f"FAILED: {fault}")
    print("no growth, no picture lost" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


def soak_command() -> int:
    """Read the command line and soak."""
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default: 10)")
    return uvloop.run(run(parser.parse_args().minutes))


if __name__ == "__main__":
    sys.exit(soak_command())
