"""When a live picture is diagnostic, why it is not, and that the verdict does not flutter."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.fidelity import (
    CURVES,
    DIAGNOSTIC_CONTRAST,
    HOLD_S,
    HYSTERESIS,
    LOSS_WINDOW_S,
    STILL_AFTER_S,
    FidelityMeter,
    Picture,
    contrast_kept,
    hold,
    judge,
)
from media.interface import (
    Fidelity,
    FidelityReason,
    Kind,
    PublicationInfo,
    PublicationStats,
    Purpose,
    Source,
)

CURVE = ((10.0, 0.9), (20.0, 0.7), (40.0, 0.1))
TEST_CURVES = {("VP8", False): CURVE}
GOOD = Picture("VP8", 1280, 720, 10.0, 0.0, 0.03)


def verdict(picture: Picture) -> Fidelity:
    return judge(picture, curves=TEST_CURVES)


def test_contrast_between_and_beyond_the_measured_points() -> None:
    for quantiser, kept in ((0, 0.9), (10, 0.9), (15, 0.8), (20, 0.7), (30, 0.4), (40, 0.1), (127, 0.1)):
        assert contrast_kept(CURVE, quantiser) == pytest.approx(kept)


@pytest.mark.parametrize("curve", CURVES.values(), ids=map(str, CURVES))
@given(st.floats(0, 255), st.floats(0, 255))
def test_a_coarser_quantiser_never_keeps_more(
    curve: tuple[tuple[float, float], ...], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    assert 0 <= contrast_kept(curve, high) <= contrast_kept(curve, low) <= 1


def test_every_codec_whose_quantiser_is_read_was_measured() -> None:
    assert {codec for codec, _ in CURVES} == {"VP8", "VP9", "H264"}


def test_a_fine_picture_is_diagnostic() -> None:
    found = verdict(GOOD)
    assert (found.purpose, found.reasons) == (Purpose.DIAGNOSTIC, ())
    assert found.contrast_kept == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({"quantiser": 30.0}, (FidelityReason.COARSE,)),
        ({"width_px": 640, "height_px": 480}, (FidelityReason.SMALL,)),
        ({"width_px": 720, "height_px": 1280}, ()),
        ({"loss": 0.03}, (FidelityReason.LOSSY,)),
        ({"quantiser": None}, (FidelityReason.UNMEASURED,)),
        ({"codec": "AV1"}, (FidelityReason.UNMEASURED,)),
        ({"chroma_stretched": True}, (FidelityReason.UNMEASURED,)),
        ({"frame_age_s": STILL_AFTER_S + 0.1, "quantiser": 30.0}, (FidelityReason.NO_PICTURE,)),
        ({"height_px": 360, "loss": 0.5, "quantiser": 40.0}, tuple(FidelityReason)[1:4]),
    ],
)
def test_a_picture_that_is_not_says_why(
    change: dict[str, object], reasons: tuple[FidelityReason, ...]
) -> None:
    found = verdict(replace(GOOD, **change))  # type: ignore[arg-type]
    assert found.reasons == reasons
    assert found.purpose is (Purpose.CONVERSATION if reasons else Purpose.DIAGNOSTIC)


def test_it_worsens_at_once_and_betters_after_a_while() -> None:
    coarse = replace(GOOD, quantiser=30.0)
    held = hold(None, GOOD, 100.0, TEST_CURVES)
    assert held.fidelity.purpose is Purpose.DIAGNOSTIC
    held = hold(held, coarse, 101.0, TEST_CURVES)
    assert held.fidelity.reasons == (FidelityReason.COARSE,)
    held = hold(held, GOOD, 101.0 + HOLD_S - 0.1, TEST_CURVES)
    assert held.fidelity.reasons == (FidelityReason.COARSE,)
    assert held.fidelity.contrast_kept == pytest.approx(0.9)
    held = hold(held, GOOD, 101.0 + HOLD_S, TEST_CURVES)
    assert held.fidelity.purpose is Purpose.DIAGNOSTIC


def test_another_reason_is_told_at_once() -> None:
    held = hold(None, replace(GOOD, quantiser=30.0), 100.0, TEST_CURVES)
    held = hold(held, replace(GOOD, quantiser=30.0, loss=0.5), 100.5, TEST_CURVES)
    assert held.fidelity.reasons == (FidelityReason.COARSE, FidelityReason.LOSSY)
    held = hold(held, GOOD, 100.5 + HOLD_S - 0.1, TEST_CURVES)
    assert held.fidelity.reasons == (FidelityReason.COARSE, FidelityReason.LOSSY)


def test_a_picture_at_the_threshold_does_not_flutter() -> None:
    just_above = 20.0 - (DIAGNOSTIC_CONTRAST + HYSTERESIS / 2 - 0.7) * 50
    at_threshold = replace(GOOD, quantiser=just_above)
    assert hold(None, at_threshold, 0.0, TEST_CURVES).fidelity.reasons == (FidelityReason.COARSE,)
    held = hold(None, GOOD, 0.0, TEST_CURVES)
    assert hold(held, at_threshold, 100.0, TEST_CURVES).fidelity.purpose is Purpose.DIAGNOSTIC


INFO = PublicationInfo("p", "r", "a", Kind.VIDEO, Source.CAMERA, "VP8")


def stats(frames: int, received: int = 0, lost: int = 0) -> PublicationStats:
    return PublicationStats("p", received, 0, lost, frames, 1, 1280, 720, 1e6, 30.0, 0.1, 10.0, ())


def test_the_meter_tells_a_picture_that_stands_still() -> None:
    meter = FidelityMeter(TEST_CURVES)
    assert meter.observe(INFO, stats(1), 50.0).reasons == ()
    assert meter.observe(INFO, stats(1), 50.0 + STILL_AFTER_S).reasons == ()
    assert meter.observe(INFO, stats(1), 50.1 + STILL_AFTER_S).reasons == (FidelityReason.NO_PICTURE,)


def test_the_meter_counts_the_loss_of_the_last_second() -> None:
    meter = FidelityMeter(TEST_CURVES)
    assert meter.observe(INFO, stats(1, 1000, 500), 50.0).reasons == ()
    assert meter.observe(INFO, stats(2, 1090, 510), 50.5).reasons == ()
    assert meter.observe(INFO, stats(3, 1090, 510), 50.0 + LOSS_WINDOW_S).reasons == (FidelityReason.LOSSY,)
    later = 50.0 + LOSS_WINDOW_S + HOLD_S
    assert meter.observe(INFO, stats(4, 1190, 505), later).reasons == ()
