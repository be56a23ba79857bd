"""A hand-held video of a scene: the chart wanders, noise is new in each frame, an encoder works on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.color_scene.coding import FRAMES_PER_S, through_codec
from bench.color_scene.render import Setup, Spot, mean_skin, set_stage
from colorcal.color_math import Floats

_FRAMES: Final = 20
_HAND_PX: Final = 3.0
"""Standard deviation of the hand's place around its mean; it comes from there within about half a second."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Decoded frames uint8 [H, W, 3], and where the skin in them lies."""

    frames: list[NDArray[np.uint8]]
    spots: tuple[Spot, ...]
    frames_per_s: float = FRAMES_PER_S

    def skin(self, picture: NDArray[np.uint8]) -> Floats:
        """Mean encoded color [N, 3], 0 to 1, of each spot in a picture."""
        return mean_skin(picture, self.spots)


def film(setup: Setup) -> Sequence:
    """Two seconds of a scene with a chart in a hand."""
    rng = np.random.default_rng([setup.seed, 13])
    place = np.zeros(2)
    shot = []
    for frame in range(_FRAMES):
        place = 0.8 * place + rng.normal(0, 0.6 * _HAND_PX, 2)
        stage = set_stage(setup, shift_px=(float(place[0]), float(place[1])))
        shot.append(stage.shoot(frame))
    return Sequence(through_codec(shot, setup.codec, setup.seed), stage.spots)
