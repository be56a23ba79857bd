"""Which pictures of a stream go to one viewer: the choice among temporal layers. Pure."""

from __future__ import annotations

from typing import NamedTuple

KEYFRAME = 0x01
"""The payload opens a picture that depends on no other."""
FRAME = 0x02
"""The payload opens a picture, or one layer of it."""
SYNC = 0x04
"""The picture depends on the base layer only: from here on its layer can be had (VP8's Y)."""
SWITCH = 0x08
"""No later picture depends on an earlier one of a higher layer than this one's: after it every layer can be
had (VP9's U)."""
TEMPORAL_SHIFT = 4
"""Above these flags stands the temporal id."""
MAX_TEMPORAL, MAX_SPATIAL = 7, 7


class LayerTarget(NamedTuple):
    """What a viewer should get at most.

    max_spatial: rank of a simulcast encoding, 0 the smallest. max_temporal: temporal id, None for all.
    """

    max_spatial: int
    max_temporal: int | None
    paused: bool


EVERYTHING = LayerTarget(max_spatial=MAX_SPATIAL, max_temporal=None, paused=False)


class TemporalLayers:
    """The temporal layers that one viewer gets: down at any picture, up where a decoder can follow."""

    __slots__ = ("current", "target")

    def __init__(self, target: int | None, current: int = MAX_TEMPORAL) -> None:
        """target: the highest temporal id wanted; current: the highest that went out so far."""
        self.target = MAX_TEMPORAL if target is None else target
        self.current = current

    def keep(self, layer: int) -> bool:
        """Whether a picture goes out. layer: temporal id and flags, as its codec describes them."""
        temporal, target = layer >> TEMPORAL_SHIFT, self.target
        if layer & KEYFRAME or target < self.current:
            self.current = target
        elif temporal == self.current + 1 and layer & SYNC and temporal <= target:
            self.current = temporal
        kept = temporal <= self.current
        if kept and layer & SWITCH:
            self.current = target
        return kept
