"""Staff accounts: passwords, sessions, one-time sign-in links, and a limit on attempts."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from records.interface import Records, Staff
from signaling.errors import Refusal
from signaling.identity import new_token, token_hash

SESSION_COOKIE = "truehue_session"
SIGN_IN_LINK_LIFE = timedelta(hours=24)
_PER_ACCOUNT = RateLimitItemPerMinute(5, 5)
_PER_ADDRESS = RateLimitItemPerMinute(30, 5)


class Passwords:
    """argon2id hashes; each takes 64 MiB and a quarter of a second, so two at a time, in threads."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._at_once = asyncio.Semaphore(2)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """A new hash."""
        async with self._at_once:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right. None (no such account) takes as long and is False."""
        if self._nobody is None:
            self._nobody = await self.hash(new_token())
        async with self._at_once:
            right = await asyncio.to_thread(self._verify, password_hash or self._nobody, password)
        return right and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


class Auth:
    """Signs staff in and out. Tokens are random; only their hashes are kept."""

    def __init__(self, records: Records, passwords: Passwords, session_life: timedelta) -> None:
        self._records = records
        self.passwords = passwords
        self.session_life = session_life
        self._links: dict[str, tuple[str, datetime]] = {}
        self._attempts = MovingWindowRateLimiter(MemoryStorage())

    async def login(self, email: str, password: str, address: str, now: datetime) -> tuple[Staff, str]:
        """Sign in with a password; returns the session's token.

        Raises Refusal login.rate_limited after 5 attempts on an account or 30 from an address in 5 minutes
        (counted on this node), login.failed.
        """
        account = hashlib.sha256(email.strip().lower().encode()).hexdigest()
        within = self._attempts.hit(_PER_ADDRESS, "address", address)
        if not (self._attempts.hit(_PER_ACCOUNT, "account", account) and within):
            raise Refusal("login.rate_limited")
        staff = await self._records.staff_by_email(email.strip().lower())
        if (
            not await self.passwords.matches(staff.password_hash if staff else None, password)
            or staff is None
        ):
            raise Refusal("login.failed")
        self._attempts.clear(_PER_ACCOUNT, "account", account)
        return staff, await self._open_session(staff, now)

    def make_sign_in_link(self, staff_id: str, now: datetime) -> str:
        """A token that signs this person in once; it lives in this process only, for a day."""
        token = new_token()
        self._links[token_hash(token)] = (staff_id, now + SIGN_IN_LINK_LIFE)
        return token

    async def login_by_link(self, token: str, address: str, now: datetime) -> tuple[Staff, str]:
        """Sign in with a one-time link. Raises Refusal login.rate_limited, login.link_used."""
        if not self._attempts.hit(_PER_ADDRESS, "address", address):
            raise Refusal("login.rate_limited")
        staff_id, expires_at = self._links.pop(token_hash(token), ("", now))
        staff = await self._records.staff(staff_id) if now < expires_at else None
        if staff is None:
            raise Refusal("login.link_used")
        return staff, await self._open_session(staff, now)

    async def session_staff(self, token: str, now: datetime) -> Staff | None:
        """Whose session this is, if it lives."""
        return await self._records.session_staff(token_hash(token), now)

    async def logout(self, token: str) -> None:
        """End a session."""
        await self._records.close_session(token_hash(token))

    async def _open_session(self, staff: Staff, now: datetime) -> str:
        token = new_token()
        await self._records.open_session(token_hash(token), staff.staff_id, now + self.session_life)
        return token
