"""The blind index: terms as keyed hashes, so that a search works on a database that cannot be read.

A token is the first 64 bits of HMAC-SHA-256 of a term under a key derived from the master key (RFC 2104,
RFC 5869). Whoever steals the database sees which rows share a term, and how often each occurs, never a term.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from records.history import SubjectKind
from records.search_terms import Findable, terms_of

KEY_BYTES = 32


class SearchKey:
    """What makes tokens of terms."""

    def __init__(self, master_key: bytes) -> None:
        def derive(use: bytes) -> bytes:
            info = b"truehue/1/search/" + use
            return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master_key)

        self._key = derive(b"tokens")
        self.key_id = derive(b"id")[:8].hex()
        """Tells search keys apart, and tells nothing about this one."""

    def token(self, term: str) -> int:
        """A signed 64-bit token, as both databases keep it."""
        digest = hmac.digest(self._key, term.encode(), hashlib.sha256)
        return int.from_bytes(digest[:8], "big", signed=True)

    def rows(
        self, kind: SubjectKind, subject_id: str, patient_id: str, at: datetime, what: Findable
    ) -> list[dict[str, Any]]:
        """Rows of search_tokens for one subject."""
        return [
            {
                "token": self.token(term),
                "at": at,
                "subject_id": subject_id,
                "subject_kind": kind,
                "patient_id": patient_id,
            }
            for term in sorted(terms_of(what))
        ]
