"""Accounts: those that a first start makes, and those that an operator adds."""

from __future__ import annotations

from dataclasses import dataclass

from records.interface import Records, Role, Site, Staff
from signaling.identity import new_token


@dataclass(frozen=True, slots=True)
class Team:
    """One specialist and one referrer to sign in as."""

    specialist: Staff
    referrer: Staff


NO_PASSWORD = "!"  # noqa: S105 - no hash: matches nothing
"""In place of a password's hash: this account signs in by a printed link only."""


async def ensure_team(records: Records, *, demo: bool) -> Team:
    """The first specialist and referrer; made, with a site of their own, where there is none."""
    specialists = await records.staff_with_role(Role.SPECIALIST)
    referrers = await records.staff_with_role(Role.REFERRER)
    if specialists and referrers:
        return Team(specialists[0], referrers[0])
    clinic = await site_named(records, "Demo skin clinic" if demo else "Clinic")
    names = ("Dr. Lin Yue", "Dr. Wang Hai") if demo else ("Specialist", "Referring doctor")
    specialist = specialists[0] if specialists else await _add(records, clinic, names[0], Role.SPECIALIST)
    if referrers:
        return Team(specialist, referrers[0])
    practice = await site_named(records, "Demo village practice" if demo else "Referring practice")
    return Team(specialist, await _add(records, practice, names[1], Role.REFERRER))


async def _add(records: Records, site: Site, name: str, role: Role) -> Staff:
    # The address is a sign-in name that nobody else has; mail is never sent to it.
    email = f"{role.value}-{new_token()[:8].lower()}@truehue.invalid"
    return await records.add_staff(site.site_id, email, name, role, "en", NO_PASSWORD)


async def site_named(records: Records, name: str) -> Site:
    """The site of this name where somebody has an account already, else a new one."""
    for role in (Role.SPECIALIST, Role.REFERRER):
        for staff in await records.staff_with_role(role):
            site = await records.site(staff.site_id)
            if site is not None and site.name == name:
                return site
    return await records.add_site(name)
