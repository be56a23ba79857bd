"""Who limits what is sent: the application or the path."""

from __future__ import annotations

from media.congestion.application_limit import ApplicationLimit


def after(limit: ApplicationLimit, share: float, begin_s: float, seconds: float, sent: int) -> int:
    """Send at a share of 1 Mbit/s; the bytes sent so far."""
    for n in range(int(seconds * 20)):
        sent += int(share * 1e6 / 8 / 20)
        limit.update(sent, 1e6, begin_s + (n + 1) / 20)
    return sent


def test_half_of_the_estimate_is_limited_and_nine_tenths_are_not() -> None:
    limit = ApplicationLimit()
    sent = after(limit, 0.5, 0.0, 2.0, 0)
    first = limit.limited
    after(limit, 0.9, 2.0, 2.0, sent)
    assert (first, limit.limited) == (True, False)
    assert 0.85e6 < limit.sending_bps < 0.95e6


def test_in_between_it_stays_as_it_is() -> None:
    limit = ApplicationLimit()
    seen = []
    sent = 0
    for number, share in enumerate((0.72, 0.5, 0.72)):
        sent = after(limit, share, 2.0 * number, 2.0, sent)
        seen.append(limit.limited)
    assert seen == [False, True, True]


def test_less_than_a_window_tells_nothing() -> None:
    limit = ApplicationLimit()
    after(limit, 0.1, 0.0, 0.4, 0)
    assert not limit.limited
