"""Sites, accounts and sessions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from records.interface import Conflict, NotFound, Role
from records.store import RecordStore
from tests.support.record import NOW

TOKEN = "ab" * 32


async def test_accounts_are_found_again(store: RecordStore) -> None:
    site = await store.add_site("Skin clinic")
    late = await store.add_staff(site.site_id, " Z@Example.org", "Zoë", Role.SPECIALIST, "en", "h1")
    early = await store.add_staff(site.site_id, "a@example.org", "安", Role.SPECIALIST, "zh", "h2")
    assert await store.site(site.site_id) == site
    assert await store.staff(late.staff_id) == late
    assert late.email == "z@example.org"
    assert await store.staff_by_email("z@EXAMPLE.org ") == late
    assert await store.staff_with_role(Role.SPECIALIST) == [late, early]
    assert await store.staff_with_role(Role.REFERRER) == []
    assert await store.site("nowhere") is None
    assert await store.staff("nobody") is None
    assert await store.staff_by_email("nobody@example.org") is None


async def test_one_account_an_address(store: RecordStore) -> None:
    site = await store.add_site("Skin clinic")
    await store.add_staff(site.site_id, "a@example.org", "A", Role.SPECIALIST, "en", "h")
    with pytest.raises(Conflict):
        await store.add_staff(site.site_id, "A@example.org", "B", Role.REFERRER, "en", "h")
    with pytest.raises(NotFound):
        await store.add_staff("nowhere", "b@example.org", "B", Role.REFERRER, "en", "h")


async def test_a_session_lasts_until_it_expires_or_closes(store: RecordStore) -> None:
    site = await store.add_site("Skin clinic")
    person = await store.add_staff(site.site_id, "a@example.org", "A", Role.SPECIALIST, "en", "h")
    await store.open_session(TOKEN, person.staff_id, NOW + timedelta(hours=1))
    assert await store.session_staff(TOKEN, NOW) == person
    assert await store.session_staff(TOKEN, NOW + timedelta(hours=1)) is None
    assert await store.session_staff("cd" * 32, NOW) is None
    with pytest.raises(Conflict):
        await store.open_session(TOKEN, person.staff_id, NOW + timedelta(hours=2))
    with pytest.raises(NotFound):
        await store.open_session("cd" * 32, "nobody", NOW)
    await store.close_session(TOKEN)
    await store.close_session(TOKEN)
    assert await store.session_staff(TOKEN, NOW) is None


async def test_a_sweep_forgets_expired_sessions(store: RecordStore) -> None:
    site = await store.add_site("Skin clinic")
    person = await store.add_staff(site.site_id, "a@example.org", "A", Role.SPECIALIST, "en", "h")
    await store.open_session(TOKEN, person.staff_id, NOW)
    assert (await store.sweep(NOW)).sessions == 1
