"""Time-limited TURN credentials: coturn derives the same password from the secret, and keeps no accounts.

The scheme is draft-uberti-behave-turn-rest-00, which coturn calls `use-auth-secret`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from turn.interface import TurnCredentials


def credentials(
    secret: str, user_id: str, now_unix_s: int, ttl_s: int, urls: Sequence[str]
) -> TurnCredentials:
    """Credentials for one person until now_unix_s + ttl_s.

    user_id: who it is for; it shows in coturn's log, so it must be an id and not a name.
    Raises ValueError when the secret is empty, the life not positive or user_id unfit for a username.
    """
    if not secret:
        raise ValueError("the TURN secret is empty: everybody could make credentials")
    if ttl_s <= 0:
        raise ValueError("TURN credentials must live longer than 0 s")
    if not user_id or ":" in user_id or not user_id.isprintable():
        raise ValueError("a TURN user id is printable, not empty, and has no colon")
    expires_at_unix_s = now_unix_s + ttl_s
    username = f"{expires_at_unix_s}:{user_id}"
    # SHA-1 is what the scheme prescribes; as an HMAC it is not weakened by collisions.
    mac = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return TurnCredentials(tuple(urls), username, base64.b64encode(mac).decode("ascii"), expires_at_unix_s)
