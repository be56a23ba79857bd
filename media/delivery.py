"""How one viewer fares with one Publication: rates, standstills, and what its reports say. Sampled from
numbers that are kept anyway, so that no packet costs more. Pure."""

from __future__ import annotations

from media.encoding import Encoding
from media.interface import Source, SubscriptionStats
from media.subscription import Subscription
from media.thinning import Thinner

RATE_WINDOW_S = 1.0
FREEZE_AFTER_S = 0.5
FREEZE_FRAMES = 3.0
"""A picture stands still when nothing of it goes out for longer than both: W3C's freezeCount too waits for
three frames, and a path that gives way asks for as few as two a second."""

_Counted = tuple[Encoding | None, Thinner | None, int]
# what is forwarded, what leaves pictures out of it, and how many of its pictures went out


class DeliveryMeter:
    """Watches one Subscription; to be shown the time about ten times a second."""

    __slots__ = (
        "_counted",
        "_frozen_until_s",
        "_interval_s",
        "_measured_s",
        "_octets",
        "_subscription",
        "_wanted_since_s",
        "bitrate_bps",
        "frame_rate",
        "freeze_count",
        "frozen_s",
    )

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self.bitrate_bps = 0.0
        self.frame_rate = 0.0
        self.freeze_count = 0
        self.frozen_s = 0.0
        self._measured_s: float | None = None
        self._octets = 0
        self._counted: _Counted = (None, None, 0)
        self._interval_s = 0.0
        """Between two pictures, when they last came."""
        self._wanted_since_s = 0.0
        """Since when the picture is to go out."""
        self._frozen_until_s: float | None = None
        """Up to when the present standstill is counted; None: the picture moves."""

    def observe(self, now: float) -> None:
        """Let time pass."""
        if self._measured_s is None or now - self._measured_s >= RATE_WINDOW_S:
            self._measure(now)
        subscription = self._subscription
        if subscription.publication.info.source is Source.CAMERA:
            self._watch(subscription, now)

    def _watch(self, subscription: Subscription, now: float) -> None:
        if subscription.target.paused or not subscription.active:
            self._wanted_since_s, self._frozen_until_s = now, None
            return
        sent_s = subscription.last_sent_s
        still_since_s = max(sent_s, self._wanted_since_s)
        if not sent_s or now - still_since_s <= max(FREEZE_AFTER_S, FREEZE_FRAMES * self._interval_s):
            self._frozen_until_s = None
            return
        if self._frozen_until_s is None:
            self.freeze_count += 1
            self._frozen_until_s = still_since_s
        self.frozen_s += now - self._frozen_until_s
        self._frozen_until_s = now

    def _measure(self, now: float) -> None:
        subscription = self._subscription
        octets, counted = subscription.octets_sent, _count(subscription)
        if self._measured_s is not None:
            elapsed_s = now - self._measured_s
            self.bitrate_bps = 8 * (octets - self._octets) / elapsed_s
            source = counted[0]
            if counted[:2] == self._counted[:2]:
                self.frame_rate = (counted[2] - self._counted[2]) / elapsed_s
                if self.frame_rate > 0.0:
                    self._interval_s = 1.0 / self.frame_rate
            else:
                # Another encoding or other layers since: what comes of it is the best that is known.
                self.frame_rate = source.frame_rate if source is not None else 0.0
        self._measured_s, self._octets, self._counted = now, octets, counted

    @property
    def packets_lost(self) -> int:
        """By the viewer's last report."""
        report = self._subscription.report
        return max(0, report.lost) if report is not None else 0

    def stats(self) -> SubscriptionStats:
        """As it was last looked at."""
        subscription = self._subscription
        publication, source, report = subscription.publication, subscription.source, subscription.report
        is_video = publication.is_video
        width_px, height_px = source.size if source is not None else (0, 0)
        return SubscriptionStats(
            publication_id=publication.info.publication_id,
            bitrate_bps=self.bitrate_bps,
            frame_rate=self.frame_rate if is_video else 0.0,
            width_px=width_px,
            height_px=height_px,
            spatial=publication.rank(source) if source is not None and is_video else None,
            encodings=len(publication.encodings),
            max_temporal=subscription.max_temporal,
            paused=subscription.target.paused,
            loss=subscription.fraction_lost / 256,
            packets_lost=self.packets_lost,
            jitter_ms=report.jitter / subscription.codec.clock_rate * 1e3 if report is not None else 0.0,
            freeze_count=self.freeze_count,
            frozen_s=self.frozen_s,
        )


def _count(subscription: Subscription) -> _Counted:
    source, thinner = subscription.source, subscription.thinner
    left_out = -thinner.numbers.picture_offset if thinner is not None else 0
    return source, thinner, source.frames - left_out if source is not None else 0
