"""One flush for many: nobody is served by one that began before they came."""

from __future__ import annotations

import asyncio

import pytest

from records.flushing import GroupFlush


class Disk:
    """Flushes that end when they are told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.gates: list[asyncio.Future[None]] = []

    async def flush(self) -> None:
        self.begun += 1
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gates.append(gate)
        await gate


async def turn() -> None:
    """Let every task go as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_those_who_come_during_a_flush_share_the_next() -> None:
    disk = Disk()
    group = GroupFlush(disk.flush)
    first = asyncio.ensure_future(group.wait())
    await turn()
    others = [asyncio.ensure_future(group.wait()) for _ in range(5)]
    await turn()
    assert disk.begun == 1
    disk.gates[0].set_result(None)
    await turn()
    assert first.done()
    assert not any(one.done() for one in others)
    assert disk.begun == 2
    disk.gates[1].set_result(None)
    await asyncio.gather(*others)
    assert disk.begun == 2


async def test_a_failed_flush_is_told_to_those_it_served_only() -> None:
    disk = Disk()
    group = GroupFlush(disk.flush)
    first = asyncio.ensure_future(group.wait())
    await turn()
    second = asyncio.ensure_future(group.wait())
    await turn()
    disk.gates[0].set_exception(OSError("disk"))
    await turn()
    with pytest.raises(OSError, match="disk"):
        await first
    disk.gates[1].set_result(None)
    await second


async def test_who_is_cancelled_takes_no_flush_from_the_others() -> None:
    disk = Disk()
    group = GroupFlush(disk.flush)
    gone, stays = asyncio.ensure_future(group.wait()), asyncio.ensure_future(group.wait())
    await turn()
    gone.cancel()
    await turn()
    disk.gates[0].set_result(None)
    await stays
    assert gone.cancelled()
