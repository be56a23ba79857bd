"""How much of a small lesion a live picture still shows, told from what its packets say: codec, quantiser,
size, frames, loss. Pure: a picture and `now` in, a verdict out, which does not flutter."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from media.interface import Fidelity, FidelityReason, PublicationInfo, PublicationStats, Purpose

DIAGNOSTIC_CONTRAST = 0.75
"""Share of a small lesion's contrast that has to be left. No study says how much it may lose: three quarters
is what stretched chroma keeps at 300 kbit/s, and plain VP8 does not keep at 2.5 Mbit/s (docs/fidelity.md)."""
HYSTERESIS = 0.05
"""So much more is asked of a picture that is not diagnostic yet: a mean over a second moves by less."""
SMALLEST_SHORT_SIDE_PX = 600
"""Teledermatology guidance asks for stills of 800 x 600 at least (American Telemedicine Association); a live
picture with fewer lines serves to talk and to find what to photograph."""
LOSS_WINDOW_S = 1.0
STILL_AFTER_S = 1.0
"""A picture without a frame for so long is a picture of the past."""
MAX_LOSS = 0.02
"""Packets of the last second that never came: at 30 frames of ten packets, six are broken then."""
HOLD_S = 3.0
"""A verdict that has worsened stays so for so long."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of a Publication's picture at a moment.

    quantiser: mean of the last second on the codec's own scale, None where it cannot be read. loss: share of
    the last second's packets that never came. frame_age_s: since the newest frame. chroma_stretched: before
    the encoder, and undone at the viewer.
    """

    codec: str
    width_px: int
    height_px: int
    quantiser: float | None
    loss: float
    frame_age_s: float
    chroma_stretched: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A Fidelity that is held. worsened_s: when it last became worse."""

    fidelity: Fidelity
    worsened_s: float


Curve = Sequence[tuple[float, float]]
"""(quantiser, share of the contrast kept), the quantiser rising."""
Curves = Mapping[tuple[str, bool], Curve]
"""By codec and by whether chroma is stretched."""

CURVES: Curves = {
    ("VP8", False): ((4, 0.84), (12, 0.41), (20, 0.15), (27, 0.11), (35, 0.09), (59, 0.03), (106, 0.0)),
    ("VP8", True): (
        *((12, 0.93), (20, 0.87), (27, 0.80), (35, 0.74), (47, 0.62)),
        *((59, 0.37), (82, 0.11), (106, 0.06)),
    ),
    ("VP9", False): ((16, 0.69), (40, 0.50), (64, 0.27), (88, 0.15), (112, 0.08), (136, 0.03), (160, 0.01)),
    ("H264", False): ((12, 0.78), (16, 0.72), (20, 0.29), (24, 0.12), (28, 0.06), (32, 0.02), (40, 0.01)),
}
"""In the worst of three tones (`./dev bench quantiser`; docs/fidelity.md)."""


def contrast_kept(curve: Curve, quantiser: float) -> float:
    """Linear between the measured points, constant beyond them."""
    at = bisect_left(curve, quantiser, key=lambda point: point[0])
    if at == 0:
        return curve[0][1]
    if at == len(curve):
        return curve[-1][1]
    (low, kept_low), (high, kept_high) = curve[at - 1], curve[at]
    return kept_low + (kept_high - kept_low) * (quantiser - low) / (high - low)


def judge(picture: Picture, threshold: float = DIAGNOSTIC_CONTRAST, curves: Curves = CURVES) -> Fidelity:
    """The verdict on one picture. threshold: least share of the contrast that has to be left."""
    if picture.frame_age_s > STILL_AFTER_S:
        return Fidelity(Purpose.CONVERSATION, (FidelityReason.NO_PICTURE,))
    curve = curves.get((picture.codec, picture.chroma_stretched))
    kept = None if curve is None or picture.quantiser is None else contrast_kept(curve, picture.quantiser)
    reasons: list[FidelityReason] = []
    if min(picture.width_px, picture.height_px) < SMALLEST_SHORT_SIDE_PX:
        reasons.append(FidelityReason.SMALL)
    if kept is not None and kept < threshold:
        reasons.append(FidelityReason.COARSE)
    if picture.loss > MAX_LOSS:
        reasons.append(FidelityReason.LOSSY)
    if kept is None:
        reasons.append(FidelityReason.UNMEASURED)
    return Fidelity(Purpose.CONVERSATION if reasons else Purpose.DIAGNOSTIC, tuple(reasons), kept)


def hold(previous: Verdict | None, picture: Picture, now: float, curves: Curves = CURVES) -> Verdict:
    """The verdict to show now: what has worsened shows at once, and for HOLD_S nothing improves."""
    if previous is None:
        return Verdict(judge(picture, DIAGNOSTIC_CONTRAST + HYSTERESIS, curves), now)
    shown = previous.fidelity
    was_diagnostic = shown.purpose is Purpose.DIAGNOSTIC
    found = judge(picture, DIAGNOSTIC_CONTRAST + (0.0 if was_diagnostic else HYSTERESIS), curves)
    if set(found.reasons) - set(shown.reasons):
        return Verdict(found, now)
    if now - previous.worsened_s < HOLD_S:
        return Verdict(replace(shown, contrast_kept=found.contrast_kept), previous.worsened_s)
    return Verdict(found, previous.worsened_s)


class FidelityMeter:
    """Follows the counters of one Publication and holds the verdict. curves: for tests."""

    __slots__ = ("_curves", "_frame_s", "_frames", "_loss", "_verdict", "_window")

    def __init__(self, curves: Curves = CURVES) -> None:
        self._curves = curves
        self._frames = -1
        self._frame_s = 0.0
        self._window: tuple[float, int, int] | None = None
        self._loss = 0.0
        self._verdict: Verdict | None = None

    def observe(self, info: PublicationInfo, stats: PublicationStats, now: float) -> Fidelity:
        """The verdict to show after another look at the counters, about twice a second."""
        if stats.frames_received != self._frames:
            self._frames, self._frame_s = stats.frames_received, now
        self._count_loss(stats, now)
        picture = Picture(
            info.codec,
            stats.width_px,
            stats.height_px,
            stats.native_quantiser,
            self._loss,
            now - self._frame_s,
            info.emphasis is not None,
        )
        self._verdict = hold(self._verdict, picture, now, self._curves)
        return self._verdict.fidelity

    def _count_loss(self, stats: PublicationStats, now: float) -> None:
        if self._window is not None:
            since_s, received, lost = self._window
            if now - since_s < LOSS_WINDOW_S:
                return
            lost = max(0, stats.packets_lost - lost)
            expected = lost + stats.packets_received - received
            self._loss = lost / expected if expected > 0 else 0.0
        self._window = (now, stats.packets_received, stats.packets_lost)
