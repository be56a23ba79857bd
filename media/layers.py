"""Which pictures go to one viewer: the choice among encodings of different size and temporal layers. Pure."""

from __future__ import annotations

from collections.abc import Sequence, Set
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


def lesser(one: LayerTarget, other: LayerTarget) -> LayerTarget:
    """What both allow."""
    temporal = [target.max_temporal for target in (one, other) if target.max_temporal is not None]
    return LayerTarget(
        min(one.max_spatial, other.max_spatial),
        min(temporal, default=None),
        one.paused or other.paused,
    )


def best_encoding(ranked: Sequence[int], sending: Set[int], max_spatial: int) -> int:
    """The encoding for one who wants at most this rank.

    ranked: indices of all encodings, the smallest first; sending: those that send. The best below is taken
    where the wanted one is silent, else the least above; where none sends, the wanted one is waited for.
    """
    wanted = min(max(0, max_spatial), len(ranked) - 1)
    for index in (*reversed(ranked[: wanted + 1]), *ranked[wanted + 1 :]):
        if index in sending:
            return index
    return ranked[wanted]


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
