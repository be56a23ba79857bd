"""Which addresses a participant is told."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from media.addresses import announced, host_addresses, is_loopback

HOST = [ip_address(a) for a in ("127.0.0.1", "::1", "2001:db8::5", "192.0.2.5")]


def test_every_address_of_the_host_but_loopback() -> None:
    assert announced("::", (), HOST, True, None) == ("192.0.2.5", "2001:db8::5")
    assert announced("::", (), HOST, False, "203.0.113.1") == ("192.0.2.5",)


@pytest.mark.parametrize("hint", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_loopback_comes_last_for_a_participant_on_this_host(hint: str) -> None:
    assert announced("::", (), HOST, True, hint) == ("192.0.2.5", "2001:db8::5", "127.0.0.1", "::1")


def test_loopback_where_there_is_nothing_else() -> None:
    assert announced("::", (), HOST[:2], True, None) == ("127.0.0.1", "::1")
    assert announced("127.0.0.1", (), HOST, False, None) == ("127.0.0.1",)


def test_configured_addresses_stand() -> None:
    assert announced("::", ("203.0.113.9", "127.0.0.1"), HOST, True, None) == ("203.0.113.9",)
    assert announced("192.0.2.5", ("203.0.113.9",), HOST, False, None) == ("203.0.113.9",)
    with pytest.raises(ValueError, match="nonsense"):
        announced("::", ("nonsense",), HOST, True, None)


def test_a_bound_address_is_the_one_announced() -> None:
    assert announced("192.0.2.5", (), HOST, False, None) == ("192.0.2.5",)


def test_loopback_is_told_from_everything_else() -> None:
    assert not is_loopback(None)
    assert not is_loopback("localhost")
    assert not is_loopback("192.0.2.1")
    assert is_loopback("127.9.9.9")


def test_this_host_has_loopback() -> None:
    found = host_addresses()
    assert ip_address("127.0.0.1") in found
    assert not any(a.is_link_local or a.is_unspecified for a in found)
