"""Which pictures go to a viewer: down at once, up only where a decoder can follow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.layers import FRAME, KEYFRAME, MAX_TEMPORAL, SWITCH, SYNC, TEMPORAL_SHIFT, TemporalLayers


def layer(temporal: int, *flags: int) -> int:
    """As a codec describes the first payload of a picture."""
    return temporal << TEMPORAL_SHIFT | FRAME | sum(flags)


def kept(layers: TemporalLayers, *pictures: int) -> list[bool]:
    """What becomes of pictures in order."""
    return [layers.keep(picture) for picture in pictures]


L1T3 = [layer(0), layer(2), layer(1), layer(2)]


def test_down_at_any_picture() -> None:
    layers = TemporalLayers(None)
    assert kept(layers, *L1T3) == [True] * 4
    layers.target = 1
    assert kept(layers, *L1T3) == [True, False, True, False]
    layers.target = 0
    assert kept(layers, *L1T3) == [True, False, False, False]


def test_up_at_a_keyframe() -> None:
    layers = TemporalLayers(0)
    kept(layers, *L1T3)
    layers.target = MAX_TEMPORAL
    assert kept(layers, *L1T3, layer(0, KEYFRAME), *L1T3[1:]) == [True, False, False, False] + [True] * 4


def test_up_at_vp8s_sync_one_layer_after_the_other() -> None:
    layers = TemporalLayers(0)
    kept(layers, *L1T3)
    layers.target = 2
    # A synchronised picture two layers up would be followed by one whose reference is missing.
    assert kept(layers, layer(0), layer(2, SYNC), layer(1, SYNC), layer(2), layer(0)) == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert kept(layers, layer(2, SYNC), layer(1), layer(2)) == [True] * 3


def test_up_after_vp9s_switching_point() -> None:
    layers = TemporalLayers(0)
    kept(layers, *L1T3)
    layers.target = 2
    # A point in a layer that is not had says nothing of that layer's own references.
    assert kept(layers, layer(0), layer(2, SWITCH), layer(1, SWITCH)) == [True, False, False]
    assert kept(layers, layer(0, SWITCH), layer(2), layer(1)) == [True] * 3


def test_never_above_the_target() -> None:
    layers = TemporalLayers(1)
    pictures = [layer(0, KEYFRAME, SWITCH), layer(2, SYNC, SWITCH), layer(1, SYNC), layer(2)]
    assert kept(layers, *pictures) == [True, False, True, False]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.booleans(), st.one_of(st.none(), st.integers(0, 3))), max_size=60
    )
)
def test_a_decoder_can_follow_whatever_the_wishes(steps: list[tuple[int, bool, int | None]]) -> None:
    """VP8: a picture depends on the base, and without SYNC on its own and lower layers' last pictures."""
    layers = TemporalLayers(3)
    layers.keep(layer(0, KEYFRAME))
    newest = {0: 0, 1: 0, 2: 0, 3: 0}
    decoded = {0}
    for number, (temporal, sync, wish) in enumerate(steps, 1):
        if wish is not None:
            layers.target = wish
        flags = [SYNC] if sync and temporal else []
        needs = {newest[0]} if flags else {newest[below] for below in range(temporal + 1)}
        newest[temporal] = number
        if layers.keep(layer(temporal, *flags)):
            assert needs <= decoded
            decoded.add(number)
