"""The lossy UDP proxy: conditions of each direction in simulated time, and a move on real sockets."""

from __future__ import annotations

import asyncio
import itertools

from tests.support.impairment import UDP_HEADERS, Address, Link, UdpProxy
from tests.support.netem import Bursts, Conditions


def sent_through(link: Link, count: int, interval_s: float, size: int = 972) -> list[tuple[float, int]]:
    """Datagrams numbered in order, sent at an interval; (arrival, number) in order of arrival."""
    arrived: list[tuple[float, int]] = []

    def take(until_s: float) -> None:
        while (at_s := link.next_s()) is not None and at_s <= until_s:
            arrived.extend((at_s, int.from_bytes(d[:4], "big")) for d, _ in link.due(at_s))

    for number in range(count):
        take(number * interval_s)
        link.send(number.to_bytes(4, "big") + bytes(size - 4), number * interval_s)
    take(float("inf"))
    return arrived


def numbers(arrived: list[tuple[float, int]]) -> list[int]:
    return [number for _, number in arrived]


def test_a_datagram_takes_the_bottlenecks_time_and_the_delay() -> None:
    link = Link([(0.0, Conditions(rate_bps=800_000, delay_s=0.05))], seed=1)
    link.send(bytes(1000 - UDP_HEADERS), 2.0)
    assert link.next_s() == 2.0 + 0.01 + 0.05
    assert link.due(2.059) == []
    assert [datagram for datagram, _ in link.due(2.06)] == [bytes(1000 - UDP_HEADERS)]
    assert link.due(3.0) == []
    assert link.next_s() is None


def test_a_full_queue_drops_and_says_so() -> None:
    link = Link([(0.0, Conditions(rate_bps=800_000, queue_s=0.1))], seed=1)
    arrived = sent_through(link, 100, 0.005)
    assert 50 < len(arrived) < 70
    waits = [passed.waited_s for passed in link.passed]
    assert waits.count(None) == 100 - len(arrived) == link.path.overflowed
    assert max(wait for wait in waits if wait is not None) <= 0.1 + 0.01 + 1e-9


def test_the_rate_changes_with_the_schedule() -> None:
    link = Link([(0.0, Conditions(rate_bps=800_000)), (1.0, Conditions(rate_bps=80_000))], seed=1)
    link.send(bytes(972), 0.0)
    link.send(bytes(972), 0.995)
    first, second = (passed.arrived_s for passed in link.passed)
    assert first == 0.01
    # Half of the second was through before the rate fell to a tenth.
    assert second is not None
    assert abs(second - 1.05) < 1e-9


def test_a_path_that_stands_still_delivers_nothing_and_keeps_a_bounded_queue() -> None:
    link = Link([(0.0, Conditions(rate_bps=0, queue_s=0.1))], seed=1)
    for index in range(50):
        link.send(bytes(100), index * 0.01)
    assert link.due(1e9) == []
    assert link.path.overflowed == 49


def test_loss_and_bursts_come_in_the_share_asked_for_and_alike_for_a_seed() -> None:
    random = [(0.0, Conditions(loss=0.1))]
    bursts = [(0.0, Conditions(bursts=Bursts(loss=0.1, mean_length=8)))]
    runs = {}
    for name, schedule in (("random", random), ("bursts", bursts)):
        got = numbers(sent_through(Link(schedule, seed=7), 20_000, 0.001))
        assert numbers(sent_through(Link(schedule, seed=7), 20_000, 0.001)) == got
        assert 0.08 < 1 - len(got) / 20_000 < 0.12
        runs[name] = sum(b - a > 1 for a, b in itertools.pairwise(got))
    assert runs["bursts"] < runs["random"] / 4


def test_jitter_keeps_the_order_and_reordering_does_not() -> None:
    jitter = sent_through(Link([(0.0, Conditions(jitter_s=0.01))], seed=3), 1000, 0.001)
    assert numbers(jitter) == list(range(1000))
    assert max(at_s - number * 0.001 for at_s, number in jitter) > 0.02
    swapped = sent_through(Link([(0.0, Conditions(reordering=0.1, reorder_s=0.003))], seed=3), 1000, 0.001)
    assert numbers(swapped) != list(range(1000))
    assert sorted(numbers(swapped)) == list(range(1000))


class Ends(asyncio.DatagramProtocol):
    """A socket whose datagrams and their senders can be awaited."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[bytes, Address]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.received.put_nowait((data, addr))


async def test_datagrams_pass_both_ways_and_a_moved_client_has_another_address() -> None:
    loop = asyncio.get_running_loop()
    server_socket, server = await loop.create_datagram_endpoint(Ends, local_addr=("127.0.0.1", 0))
    client_socket, client = await loop.create_datagram_endpoint(Ends, local_addr=("127.0.0.1", 0))
    second_socket, second_client = await loop.create_datagram_endpoint(Ends, local_addr=("127.0.0.1", 0))
    ample = [(0.0, Conditions())]
    proxy = await UdpProxy.start(server_socket.get_extra_info("sockname"), ample, ample, seed=1)
    try:
        client_socket.sendto(b"hello", proxy.address)
        data, first = await asyncio.wait_for(server.received.get(), 20)
        server_socket.sendto(b"welcome", first)
        assert data == b"hello"
        assert (await asyncio.wait_for(client.received.get(), 20)) == (b"welcome", proxy.address)
        # Another socket of the client is another address of its own, and gets its own answers.
        second_socket.sendto(b"me too", proxy.address)
        data, other = await asyncio.wait_for(server.received.get(), 20)
        assert (data, other != first) == (b"me too", True)
        server_socket.sendto(b"you too", other)
        assert (await asyncio.wait_for(second_client.received.get(), 20))[0] == b"you too"
        proxy.move("127.0.0.2")
        client_socket.sendto(b"again", proxy.address)
        data, second = await asyncio.wait_for(server.received.get(), 20)
        assert data == b"again"
        assert second[0] == "127.0.0.2"
        server_socket.sendto(b"lost", first)
        server_socket.sendto(b"found", second)
        assert (await asyncio.wait_for(client.received.get(), 20))[0] == b"found"
        proxy.begin(ample, [(0.0, Conditions(loss=1.0))], seed=2)
        server_socket.sendto(b"lost too", second)
        client_socket.sendto(b"last", proxy.address)
        assert (await asyncio.wait_for(server.received.get(), 20))[0] == b"last"
        assert [p.datagram for p in proxy.to_server.passed] == [b"last"]
    finally:
        await proxy.close()
        server_socket.close()
        client_socket.close()
        second_socket.close()
