"""The ring of the last packets."""

from __future__ import annotations

import pytest

from media.history import History
from media.rtp import Packet


def packet(sequence: int) -> Packet:
    """A packet of this number."""
    return Packet(sequence, b"", 0, 0, 0, False, False, 0, 0)


def test_it_keeps_the_last_packets() -> None:
    history = History(4)
    assert history.capacity == 4
    assert all(history.put(packet(n)) for n in range(6))
    assert [history.get(n) is not None for n in range(7)] == [False, False, True, True, True, True, False]


def test_duplicates_and_overtaken_packets_are_refused() -> None:
    history = History(4)
    assert history.put(packet(9))
    assert not history.put(packet(9))
    assert not history.put(packet(5))
    assert history.get(9) is not None


def test_clear() -> None:
    history = History(4)
    history.put(packet(9))
    history.clear()
    assert history.get(9) is None
    assert history.put(packet(1))


def test_the_capacity_is_a_power_of_two() -> None:
    with pytest.raises(ValueError, match="power of two"):
        History(3)
