"""Opaque ids that sort by the time they were made, so that new rows lie together in an index."""

from __future__ import annotations

import secrets
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(now: datetime) -> str:
    """26 letters: 48 bits of milliseconds, then 82 random bits, five bits a letter, biggest first."""
    value = (int(now.timestamp() * 1000) & (1 << 48) - 1) << 82 | secrets.randbits(82)
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))
