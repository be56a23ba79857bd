"""What the network benchmark reads off a link, on packets whose times are known."""

from __future__ import annotations

import math

from bench.impaired_call import is_padding, queue_delay_p95_ms, recovered_after_s, utilisation
from tests.support.impairment import UDP_HEADERS, Link
from tests.support.netem import Conditions

RTP = b"\x80\x60" + bytes(100 - UDP_HEADERS - 2)
PADDING = b"\xa0\x61" + bytes(100 - UDP_HEADERS - 2)


def test_padding_does_not_count_as_use() -> None:
    link = Link([(0.0, Conditions(rate_bps=8_000))], seed=1)
    for second in range(10):
        link.send(RTP, 0.2 + second)
        link.send(PADDING, 0.4 + second)
    assert [is_padding(passed) for passed in link.passed[:2]] == [False, True]
    # One packet of 100 bytes a second, of ten that the bottleneck could pass on.
    assert math.isclose(utilisation(link, 0.0, 10.0), 0.1)


def test_what_the_full_queue_dropped_waited_as_long_as_the_queue() -> None:
    link = Link([(0.0, Conditions(rate_bps=8_000, queue_s=0.5))], seed=1)
    for _ in range(20):
        link.send(RTP, 1.0)
    assert link.path.overflowed > 1
    assert queue_delay_p95_ms(link, 0.0, 2.0) == 500


def test_recovery_is_when_packets_wait_little_and_go_on_so() -> None:
    link = Link([(0.0, Conditions(rate_bps=80_000)), (1.0, Conditions(rate_bps=8_000))], seed=1)
    times = [0.1 * step for step in range(10)]
    times += [1.0, 1.0, 1.0, 1.0]  # a burst for which the path is too slow
    times += [2.0 + 0.2 * step for step in range(10)]
    for at_s in times:
        link.send(RTP, at_s)
    assert recovered_after_s(link.passed, 0.0) == 0.0
    assert math.isclose(recovered_after_s(link.passed, 1.0, queue_s=0.15), 1.0)
    assert recovered_after_s(link.passed, 3.7) == math.inf
