"""What a Publication asks of a viewer's path, and what its budget there means in layers and for its
publisher."""

from __future__ import annotations

from collections.abc import Iterable

from media.congestion.allocation import Budget, Demand, Purpose
from media.interface import PublicationInfo, Source
from media.layers import EVERYTHING, MAX_SPATIAL, LayerTarget

AUDIO_HEADERS_BPS = 27_200
"""50 packets a second with 68 bytes of headers each."""
LEAST_AUDIO_BPS, AUDIO_BPS = 60_000, 91_000
"""Opus at 32 kbit/s, what browsers make of one voice, held while it is silent too; and at 64 kbit/s."""
AUDIO_GROWTH = 1.2
"""What is held for sound beyond what comes: it is no steadier."""
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
WHOLE, WHOLE_AGAIN = 0.8, 0.95
"""While a budget pays for the former share of the rate nothing is left out: the publisher is told, follows in
half a second, and the pacer holds so much; what was left out comes back from the latter on."""

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
        sound_bps = min(AUDIO_BPS, max(LEAST_AUDIO_BPS, AUDIO_GROWTH * bitrate_bps + AUDIO_HEADERS_BPS))
        return Demand(info.publication_id, purpose, sound_bps)
    floor_bps = min(max_bps, _FLOORS[purpose])
    usable_bps = GROWTH * HEADERS * bitrate_bps + SPARE_BPS
    return Demand(info.publication_id, purpose, max_bps, floor_bps, usable_bps)


def layer_target(budget: Budget, bitrate_bps: float, *, thinned: bool = False) -> LayerTarget:
    """What of an encoding that sends bitrate_bps of payload fits into a viewer's budget for it. thinned: some
    of it is left out at present."""
    if not budget.bitrate_bps:
        return EVERYTHING._replace(paused=True)
    max_spatial = _SPATIAL[budget.scale]
    sent_bps = HEADERS * bitrate_bps
    whole = WHOLE_AGAIN if thinned else WHOLE
    if budget.bitrate_bps >= whole * sent_bps or max_spatial < MAX_SPATIAL:
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
