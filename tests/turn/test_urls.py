"""The URLs that browsers are given."""

from __future__ import annotations

import pytest

from turn.probe import InvalidTurnUrl, parse_url
from turn.urls import offered_urls

UDP, TCP = "turn:turn.example:3478?transport=udp", "turn:turn.example?transport=tcp"


def test_without_tls_they_stay_as_they_are() -> None:
    assert offered_urls((UDP, TCP), None) == (UDP, TCP)
    assert offered_urls((), 5349) == ()


def test_one_turns_url_for_each_host() -> None:
    other = "turn:[2001:db8::7]:3478"
    offered = offered_urls((UDP, TCP, other), 443)
    assert offered[:3] == (UDP, TCP, other)
    assert offered[3:] == ("turns:turn.example:443?transport=tcp", "turns:[2001:db8::7]:443?transport=tcp")
    assert all(parse_url(url).tls and parse_url(url).port == 443 for url in offered[3:])


def test_a_turns_url_that_was_given_is_left_alone() -> None:
    given = (UDP, "turns:turn.example:5350?transport=tcp")
    assert offered_urls(given, 5349) == given


@pytest.mark.parametrize(
    "url", ["stun:turn.example", "turn:", "turns:turn.example?transport=udp", "turn:a:0"]
)
def test_what_is_no_turn_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidTurnUrl):
        offered_urls((url,), None)
