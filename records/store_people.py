"""Store: sites, staff accounts and their sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from records.ids import new_id
from records.interface import Conflict, Role, Site, Staff
from records.rows import staff_from
from records.schema import sessions, sites, staff
from records.transaction import StoreBase


class PeopleStore(StoreBase):
    """Who works where, and who is signed in."""

    async def add_site(self, name: str) -> Site:
        """Add a clinic or practice."""
        site = Site(new_id(datetime.now(UTC)), name)
        async with self._write() as tx:
            await tx.change(insert(sites).values(site_id=site.site_id, name=site.name))
        return site

    async def site(self, site_id: str) -> Site | None:
        """A site, if there is one."""
        async with self._read() as tx:
            row = await tx.first(select(sites).where(sites.c.site_id == site_id))
        return None if row is None else Site(row["site_id"], row["name"])

    async def add_staff(
        self, site_id: str, email: str, name: str, role: Role, language: str, password_hash: str
    ) -> Staff:
        """Add an account; raises Conflict where the e-mail has one, NotFound for an unknown site."""
        person = Staff(
            new_id(datetime.now(UTC)), site_id, _account(email), name, role, language, password_hash
        )
        try:
            async with self._write() as tx:
                await tx.one(select(sites).where(sites.c.site_id == site_id), "site")
                await tx.change(
                    insert(staff).values(
                        staff_id=person.staff_id,
                        site_id=site_id,
                        email=person.email,
                        name=name,
                        role=role,
                        language=language,
                        password_hash=password_hash,
                    )
                )
        except IntegrityError:
            raise Conflict("this e-mail address has an account already") from None
        return person

    async def staff_by_email(self, email: str) -> Staff | None:
        """An account by its e-mail address, whatever its case."""
        async with self._read() as tx:
            row = await tx.first(select(staff).where(staff.c.email == _account(email)))
        return None if row is None else staff_from(row)

    async def staff(self, staff_id: str) -> Staff | None:
        """An account by its id."""
        async with self._read() as tx:
            row = await tx.first(select(staff).where(staff.c.staff_id == staff_id))
        return None if row is None else staff_from(row)

    async def staff_with_role(self, role: Role) -> Sequence[Staff]:
        """Every account of a role, by name."""
        async with self._read() as tx:
            rows = await tx.all(
                select(staff).where(staff.c.role == role).order_by(staff.c.name, staff.c.staff_id)
            )
        return [staff_from(row) for row in rows]

    async def open_session(self, token_sha256: str, staff_id: str, expires_at: datetime) -> None:
        """Remember a signed-in browser by the hash of its token; raises NotFound, Conflict."""
        try:
            async with self._write() as tx:
                await tx.one(select(staff.c.staff_id).where(staff.c.staff_id == staff_id), "account")
                await tx.change(
                    insert(sessions).values(
                        token_sha256=token_sha256, staff_id=staff_id, expires_at=expires_at
                    )
                )
        except IntegrityError:
            raise Conflict("this session is open already") from None

    async def session_staff(self, token_sha256: str, now: datetime) -> Staff | None:
        """Who is signed in with a token, unless it expired."""
        query = (
            select(staff)
            .join(sessions, sessions.c.staff_id == staff.c.staff_id)
            .where(sessions.c.token_sha256 == token_sha256, sessions.c.expires_at > now)
        )
        async with self._read() as tx:
            row = await tx.first(query)
        return None if row is None else staff_from(row)

    async def close_session(self, token_sha256: str) -> None:
        """Forget a session; absent already is fine."""
        async with self._write() as tx:
            await tx.change(delete(sessions).where(sessions.c.token_sha256 == token_sha256))


def _account(email: str) -> str:
    return email.strip().lower()
