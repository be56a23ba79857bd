"""When to ask a source for a keyframe: at most one request per interval, repeated until one comes."""

from __future__ import annotations

INTERVAL_S = 0.5
BACKED_OFF_S = 3.0
PATIENT_TRIES = 20


class KeyframeGate:
    """Gathers wishes for a keyframe of one source, however many viewers have them."""

    def __init__(self) -> None:
        self.wanted = False
        self._asked_at: float | None = None
        self._tries = 0

    def want(self) -> None:
        """Somebody needs a keyframe that has not begun yet."""
        if not self.wanted:
            self.wanted = True
            self._tries = 0

    def came(self) -> None:
        """A keyframe has begun."""
        self.wanted = False

    def due(self, now: float) -> bool:
        """Whether to send a request now; counts it as sent. A source that stays mute is asked less often."""
        if not self.wanted:
            return False
        interval_s = INTERVAL_S if self._tries < PATIENT_TRIES else BACKED_OFF_S
        if self._asked_at is not None and now - self._asked_at < interval_s:
            return False
        self._asked_at = now
        self._tries += 1
        return True
