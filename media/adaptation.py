"""What a Publication asks of a viewer's path, and what its budget there means in layers and for its
publisher."""

from __future__ import annotations

from collections.abc import Iterable

from media.congestion.allocation import Budget, Demand, Purpose
from media.interface import PublicationInfo, Source
from media.layers import EVERYTHING, MAX_SPATIAL, LayerTarget

AUDIO_BPS = 91_000
"""Opus at 64 kbit/s and 50 packets a second, with 68 bytes of headers each."""
PATIENT_FLOOR_BPS = 300_000
"""At full resolution and 8 frames per second half of a lesion's contrast is left (measured at 720p)."""
SCREEN_FLOOR_BPS = 100_000
"""A page of text at a few frames per second, sharp after a second."""
OWN_FLOOR_BPS = 60_000
"""A face at a quarter of 720p's width and height."""
HEADERS = 1.08
"""Bytes on the wire against bytes of payload, for packets of 1100 bytes."""
GROWTH = 1.5
SPARE_BPS = 50_000
"""What is held for a publisher beyond what it sends: as much as browsers grow in a second."""
TEMPORAL_SHARES = (0.4, 0.6)
"""Shares of the rate that the two lower of three temporal layers take together (libwebrtc's default
allocation for VP8 and VP9, L1T3)."""
WHOLE = 0.95
"""From this share of the rate on nothing is left out: the publisher is told, and follows in a second."""

_PURPOSES = {Source.MICROPHONE: Purpose.AUDIO, Source.SCREEN: Purpose.SCREEN}
_FLOORS = {
    Purpose.PATIENT_PICTURE: PATIENT_FLOOR_BPS,
    Purpose.SCREEN: SCREEN_FLOOR_BPS,
    Purpose.OWN_PICTURE: OWN_FLOOR_BPS,
}
_SPATIAL = {0.25: 0, 0.5: 1, 1.0: MAX_SPATIAL}


def demand(info: PublicationInfo, max_bps: float, bitrate_bps: float) -> Demand:
    """max_bps: what the publisher may send at most. bitrate_bps: payload that it sends now."""
    purpose = _PURPOSES.get(info.source, Purpose.PATIENT_PICTURE if info.is_patient else Purpose.OWN_PICTURE)
    if purpose is Purpose.AUDIO:
        return Demand(info.publication_id, purpose, AUDIO_BPS)
    floor_bps = min(max_bps, _FLOORS[purpose])
    usable_bps = GROWTH * HEADERS * bitrate_bps + SPARE_BPS
    return Demand(info.publication_id, purpose, max_bps, floor_bps, usable_bps)


def layer_target(budget: Budget, bitrate_bps: float) -> LayerTarget:
    """What of an encoding that sends bitrate_bps of payload fits into a viewer's budget for it."""
    if not budget.bitrate_bps:
        return EVERYTHING._replace(paused=True)
    max_spatial = _SPATIAL[budget.scale]
    sent_bps = HEADERS * bitrate_bps
    if budget.bitrate_bps >= WHOLE * sent_bps or max_spatial < MAX_SPATIAL:
        return EVERYTHING._replace(max_spatial=max_spatial)
    return EVERYTHING._replace(max_temporal=1 if budget.bitrate_bps >= TEMPORAL_SHARES[1] * sent_bps else 0)


def best(budgets: Iterable[Budget]) -> tuple[int, float]:
    """(bit/s, frames per second) that a publisher is to make for all its viewers: as the best of them can
    take, since what is too much for another is left out on its way there."""
    bitrate_bps, frames_per_s = 0, 0.0
    for budget in budgets:
        bitrate_bps = max(bitrate_bps, budget.bitrate_bps)
        frames_per_s = max(frames_per_s, budget.frames_per_s)
    return bitrate_bps, frames_per_s
