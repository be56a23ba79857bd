"""ICE-lite: who is validated at which address, and what is answered."""

from __future__ import annotations

from media import ice_lite, stun
from media.ice_lite import Address, Credentials, IceLite, StunOutcome

CREDENTIALS = Credentials("localufr", "a local password of 24 c")
HERE: Address = ("192.0.2.1", 1000)
THERE: Address = ("192.0.2.2", 2000)


def request(
    credentials: Credentials = CREDENTIALS,
    *attributes: int,
    password: str | None = None,
    kind: int = stun.BINDING_REQUEST,
) -> bytes:
    """A check with some empty attributes."""
    username = (stun.USERNAME, f"{credentials.ufrag}:remote".encode())
    listed = [username, *((attribute, b"") for attribute in attributes)]
    return stun.build(kind, b"transaction!", listed, (password or credentials.password).encode())


def agent() -> IceLite[str]:
    """An agent with one owner."""
    ice: IceLite[str] = IceLite()
    ice.add("owner", CREDENTIALS, 0.0)
    return ice


def test_a_good_check_validates_and_is_answered() -> None:
    ice = agent()
    assert ice.owner_of(HERE) is None
    assert ice.selected("owner") is None
    result = ice.receive(request(), HERE, 1.0)
    assert (result.outcome, result.owner, result.moved) == (StunOutcome.VALIDATED, "owner", True)
    assert result.reply is not None
    reply = stun.parse(result.reply)
    assert reply.has_integrity(CREDENTIALS.password.encode())
    mapped = stun.read_xor_address(reply.attributes[stun.XOR_MAPPED_ADDRESS], reply.transaction_id)
    assert mapped == HERE
    assert ice.owner_of(HERE) == "owner"
    assert ice.selected("owner") == HERE
    assert ice.last_seen_s("owner") == 1.0


def test_only_a_nomination_moves_the_selected_address() -> None:
    ice = agent()
    ice.receive(request(), HERE, 1.0)
    assert not ice.receive(request(), THERE, 2.0).moved
    assert (ice.selected("owner"), ice.owner_of(THERE)) == (HERE, "owner")
    assert ice.receive(request(CREDENTIALS, stun.USE_CANDIDATE), THERE, 3.0).moved
    assert ice.selected("owner") == THERE


def test_what_is_refused_changes_nothing() -> None:
    ice = agent()
    for datagram, outcome in (
        (b"\x00\x01", StunOutcome.MALFORMED),
        (request(password="wrong"), StunOutcome.WRONG_INTEGRITY),
        (request(Credentials("stranger", "x")), StunOutcome.UNKNOWN_UFRAG),
        (request(kind=stun.BINDING_SUCCESS), StunOutcome.NOT_EXPECTED),
        (
            stun.build(stun.BINDING_REQUEST, bytes(12), [], b"integrity without a name"),
            StunOutcome.NOT_EXPECTED,
        ),
    ):
        result = ice.receive(datagram, HERE, 1.0)
        assert (result.outcome, result.reply) == (outcome, None)
    assert ice.owner_of(HERE) is None


def test_a_check_with_unknown_or_conflicting_attributes_gets_an_error() -> None:
    ice = agent()
    for attribute, code in ((0x7F7F, b"\x04\x14"), (stun.ICE_CONTROLLED, b"\x04\x57")):
        result = ice.receive(request(CREDENTIALS, attribute), HERE, 1.0)
        assert result.outcome is StunOutcome.NOT_EXPECTED
        assert result.reply is not None
        reply = stun.parse(result.reply)
        assert reply.message_type == stun.BINDING_ERROR
        assert reply.attributes[stun.ERROR_CODE][2:4] == code
    assert ice.owner_of(HERE) is None


def test_plain_binding_is_served() -> None:
    result = agent().receive(stun.build(stun.BINDING_REQUEST, bytes(12), []), THERE, 1.0)
    assert result.outcome is StunOutcome.SERVED
    assert result.owner is None
    assert result.reply is not None
    reply = stun.parse(result.reply)
    assert stun.read_xor_address(reply.attributes[stun.XOR_MAPPED_ADDRESS], bytes(12)) == THERE
    unknown = agent().receive(stun.build(stun.BINDING_REQUEST, bytes(12), [(3, bytes(4))]), THERE, 1.0)
    assert unknown.reply is not None
    assert stun.parse(unknown.reply).attributes[stun.UNKNOWN_ATTRIBUTES] == b"\x00\x03"


def test_a_restart_keeps_the_old_credentials_for_a_while() -> None:
    ice = agent()
    ice.receive(request(), HERE, 1.0)
    fresh = ice_lite.new_credentials()
    ice.add("owner", fresh, 10.0)
    assert ice.selected("owner") == HERE
    assert ice.receive(request(), HERE, 11.0).outcome is StunOutcome.VALIDATED
    assert ice.receive(request(fresh, stun.USE_CANDIDATE), THERE, 12.0).moved
    ice.expire(10.0 + ice_lite.RESTART_OVERLAP_S)
    assert ice.receive(request(), HERE, 41.0).outcome is StunOutcome.UNKNOWN_UFRAG
    assert ice.receive(request(fresh), THERE, 42.0).outcome is StunOutcome.VALIDATED


def test_many_restarts_are_bounded() -> None:
    ice = agent()
    for index in range(10):
        ice.add("owner", Credentials(f"ufrag{index}", "p" * 24), 1.0)
    outcomes = [
        ice.receive(request(Credentials(f"ufrag{index}", "p" * 24)), HERE, 1.0).outcome for index in range(10)
    ]
    assert outcomes.count(StunOutcome.VALIDATED) == ice_lite.MAX_GENERATIONS
    assert outcomes[-1] is StunOutcome.VALIDATED


def test_an_address_that_a_nat_gives_to_another_goes_over() -> None:
    ice = agent()
    second = Credentials("another1", "another local password 24")
    ice.add("second", second, 0.0)
    ice.receive(request(), THERE, 1.0)
    ice.receive(request(CREDENTIALS, stun.USE_CANDIDATE), HERE, 2.0)
    ice.receive(request(second), HERE, 3.0)
    assert ice.owner_of(HERE) == "second"
    assert ice.selected("owner") == THERE
    ice.remove("second")
    assert ice.owner_of(HERE) is None
    assert ice.selected("second") is None
    ice.remove("second")


def test_addresses_of_one_owner_are_bounded_and_the_selected_one_stays() -> None:
    ice = agent()
    ice.receive(request(CREDENTIALS, stun.USE_CANDIDATE), HERE, 1.0)
    for port in range(1, 40):
        ice.receive(request(), ("192.0.2.9", port), 1.0 + port)
    held = sum(ice.owner_of(("192.0.2.9", port)) is not None for port in range(1, 40))
    assert held == ice_lite.MAX_ADDRESSES_PER_OWNER - 1
    assert ice.owner_of(HERE) == "owner"


def test_rebind_and_touch() -> None:
    ice = agent()
    ice.receive(request(), HERE, 1.0)
    ice.rebind("owner", THERE, 2.0)
    assert ice.selected("owner") == THERE
    ice.touch("owner", 5.0)
    assert ice.last_seen_s("owner") == 5.0
    ice.touch("nobody", 5.0)
    ice.rebind("nobody", HERE, 5.0)
    assert ice.owner_of(HERE) == "owner"


def test_new_credentials_are_long_enough_and_differ() -> None:
    made = [ice_lite.new_credentials() for _ in range(50)]
    assert len({c.ufrag for c in made}) == 50
    assert all(len(c.ufrag) >= 4 and len(c.password) >= 22 for c in made)
