"""What is missing, and when it is asked for."""

from __future__ import annotations

from media import nack
from media.nack import MissingPackets


def after(*sequences: int) -> MissingPackets:
    """A stream that got these packets at time 0."""
    missing = MissingPackets()
    for sequence in sequences:
        missing.received(sequence, 0.0)
    return missing


def test_nothing_is_missing_in_order() -> None:
    assert after(1, 2, 3).due(1.0) == []


def test_a_gap_is_asked_for_at_once_and_again_later() -> None:
    missing = after(1, 4)
    assert missing.due(0.0) == [2, 3]
    assert missing.due(0.05) == []
    assert missing.due(0.11) == [2, 3]


def test_what_came_is_not_asked_for() -> None:
    missing = after(1, 4)
    assert not missing.received(3, 0.0)
    assert missing.due(0.0) == [2]
    assert missing.received(2, 0.02)
    assert missing.due(5.0) == []


def test_the_interval_follows_the_round_trip() -> None:
    missing = after(1)
    for index in range(40):
        now = float(index)
        missing.received(3 + 2 * index, now)
        missing.due(now)
        missing.received(2 + 2 * index, now + 0.02)
    assert abs(missing.retry_s - 0.03) < 0.005


def test_a_hopeless_packet_is_given_up() -> None:
    missing = after(1, 3)
    asked = sum(bool(missing.due(0.1 * tick)) for tick in range(100))
    assert 1 < asked <= nack.MAX_TRIES


def test_a_great_loss_wants_a_keyframe_instead() -> None:
    missing = after(1, 2 + nack.MAX_MISSING + 1)
    assert missing.overflowed
    assert missing.due(0.0) == []


def test_many_small_losses_are_bounded() -> None:
    missing = after(*range(1, 3000, 2))
    assert len(missing.due(0.0)) == nack.MAX_MISSING
