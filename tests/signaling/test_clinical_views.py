"""What clinicians write, over the wire and back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.interface import Cursor, InvalidEntry, Note, Section
from signaling import messages as m
from signaling.clinical_views import content_of, cursor_from, cursor_text
from signaling.errors import Refusal


def test_one_content_and_no_more() -> None:
    note = m.NoteContent("seen", {"plan": "excise"})
    assert content_of(m.EntryRequest(note=note)) == Note("seen", {Section.PLAN: "excise"})
    condition = m.ConditionContent("eczema")
    for asked in (m.EntryRequest(), m.EntryRequest(note=note, condition=condition)):
        with pytest.raises(Refusal):
            content_of(asked)
    with pytest.raises(InvalidEntry):
        content_of(m.EntryRequest(note=m.NoteContent()))


@given(st.datetimes(timezones=st.just(UTC)), st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=1))
def test_a_cursor_comes_back(at: datetime, item_id: str) -> None:
    cursor = Cursor(at, item_id)
    assert cursor_from(cursor_text(cursor)) == cursor


@pytest.mark.parametrize(
    "text", ["x", "====", "bm8gdGltZQ", "MjAyNi0wMS0wMSBh", "é", "MjAyNi0wMS0wMVQwMDowMDowMCswMDowMA"]
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        cursor_from(text)


def test_no_cursor_is_the_first_page() -> None:
    assert cursor_text(None) is None
    assert cursor_from(None) is None
    assert cursor_from("") is None
