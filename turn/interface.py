"""The values that the TURN part hands to other parts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TurnCredentials:
    """What a browser needs to use a TURN server, as in RTCIceServer."""

    urls: tuple[str, ...]
    username: str
    credential: str
    expires_at_unix_s: int
