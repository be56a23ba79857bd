"""The audit's chain: every change, gap, swap and cut is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.audit import GENESIS, Head, line_hash, next_event, seal_head, verify_head, verify_lines
from records.interface import AuditEvent, Conflict, Role
from tests.support.record import NOW

KEY = bytes(range(32))
words = st.text(max_size=12)
lines = st.lists(
    st.tuples(
        st.integers(-(10**15), 10**16).map(lambda us: NOW + timedelta(microseconds=us)),
        words,
        st.sampled_from(Role),
        words,
        words,
        words,
    ),
    min_size=1,
    max_size=8,
)


def _chain(drawn: list[tuple[datetime, str, Role, str, str, str]]) -> tuple[list[AuditEvent], Head]:
    head, events = seal_head(KEY, 0, GENESIS), []
    for line in drawn:
        events.append(next_event(head, *line))
        head = seal_head(KEY, events[-1].sequence, events[-1].hash)
    return events, head


@given(lines)
def test_an_honest_chain_verifies(drawn: list[tuple[datetime, str, Role, str, str, str]]) -> None:
    events, head = _chain(drawn)
    last_hash, following = verify_lines(GENESIS, 1, events)
    verify_head([KEY], head, last_hash, following - 1)
    assert following - 1 == len(drawn)


@given(lines, st.data())
def test_a_changed_line_is_found(
    drawn: list[tuple[datetime, str, Role, str, str, str]], data: st.DataObject
) -> None:
    events, _ = _chain(drawn)
    index = data.draw(st.integers(0, len(events) - 1))
    old = events[index]
    changed = data.draw(
        st.sampled_from(
            [
                replace(old, at=old.at + timedelta(microseconds=1)),
                replace(old, actor_id=old.actor_id + "x"),
                replace(old, role=Role.SYSTEM if old.role is not Role.SYSTEM else Role.PATIENT),
                replace(old, action=old.action + "x"),
                replace(old, resource=old.resource + "x"),
                replace(old, reason=old.reason + "x"),
                replace(old, sequence=old.sequence + 1),
                replace(old, hash=("0" if old.hash[0] != "0" else "1") + old.hash[1:]),
            ]
        )
    )
    with pytest.raises(Conflict):
        verify_lines(GENESIS, 1, [*events[:index], changed, *events[index + 1 :]])


@given(lines, st.data())
def test_a_missing_line_is_found(
    drawn: list[tuple[datetime, str, Role, str, str, str]], data: st.DataObject
) -> None:
    events, head = _chain(drawn)
    index = data.draw(st.integers(0, len(events) - 1))
    left = [*events[:index], *events[index + 1 :]]
    if index < len(left):
        with pytest.raises(Conflict):
            verify_lines(GENESIS, 1, left)
    else:
        last_hash, following = verify_lines(GENESIS, 1, left)
        with pytest.raises(Conflict, match="should end"):
            verify_head([KEY], head, last_hash, following - 1)


@given(st.lists(words, min_size=4, max_size=4), st.lists(words, min_size=4, max_size=4))
def test_no_two_lines_share_a_hash(one: list[str], other: list[str]) -> None:
    def digest(parts: list[str]) -> str:
        return line_hash(GENESIS, 1, NOW, parts[0], Role.SYSTEM, parts[1], parts[2], parts[3])

    assert (digest(one) == digest(other)) == (one == other)


def test_a_chain_computed_anew_lacks_the_seal() -> None:
    events, head = _chain([(NOW, "a", Role.PATIENT, "read", "patient/1", "r")])
    forged = next_event(seal_head(KEY, 0, GENESIS), NOW, "b", Role.PATIENT, "read", "patient/1", "r")
    last_hash, following = verify_lines(GENESIS, 1, [forged])
    with pytest.raises(Conflict):
        verify_head([KEY], head, last_hash, following - 1)
    with pytest.raises(Conflict, match="foreign"):
        verify_head([KEY], seal_head(bytes(32), 1, forged.hash), last_hash, 1)
    assert events[0].hash != forged.hash


def test_the_same_moment_in_another_zone_is_the_same_line() -> None:
    shifted = NOW.astimezone()
    fields = ("a", Role.PATIENT, "read", "patient/1", "r")
    assert line_hash(GENESIS, 1, shifted, *fields) == line_hash(GENESIS, 1, NOW, *fields)


def test_the_hash_of_a_line_never_changes() -> None:
    """A chain written by one version must verify under the next."""
    at = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    digest = line_hash(GENESIS, 1, at, "staff-1", Role.SPECIALIST, "note.write", "consultation/1", "why")
    assert digest == "9f9b33da7b565ce73d4c7c6119e8b258beab4efcd86b2faf53902cb3f94cfabe"
