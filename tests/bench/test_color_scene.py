"""The rendered scenes of `./dev bench color`: halves that share nothing, truth that holds, repeatable."""

from __future__ import annotations

import numpy as np
import pytest

from bench.color_peers import Outcome
from bench.color_scene.cameras import camera
from bench.color_scene.coding import through_codec
from bench.color_scene.halves import SCORING, TONES, TRAINING, Half
from bench.color_scene.negatives import KINDS, negative
from bench.color_scene.render import draw_setup, render
from bench.color_scene.sequences import film
from bench.color_scene.skin import ERYTHEMA, draw_person
from bench.color_scene.spectra import chart, light, to_linear_rgb
from bench.color_score import Score, jitter
from bench.harness import Report
from colorcal.color_math import de00, linear_rgb_to_lab, srgb_to_lab
from colorcal.reference import Batch, lab_d50

BOTH = pytest.mark.parametrize("half", [TRAINING, SCORING], ids=lambda half: half.name)


def test_halves_share_no_camera_no_light_and_no_skin() -> None:
    for one, other in (
        (TRAINING.cameras, SCORING.cameras),
        (TRAINING.lights, SCORING.lights),
        (TRAINING.melanin, SCORING.melanin),
        (TRAINING.prints, SCORING.prints),
    ):
        assert not set(one) & set(other)
        assert len(set(one)) == len(one)
    assert len(SCORING.lights) == 21
    assert len(SCORING.cameras) == 8


@BOTH
def test_cameras_lights_and_skin_are_physical(half: Half) -> None:
    rng = np.random.default_rng(0)
    for name in half.cameras:
        assert camera(name).shape == (3, 61)
        assert (camera(name) >= 0).all()
    for name in half.lights:
        assert light(name).min() >= 0
        assert light(name).mean() == pytest.approx(1)
    lightness = []
    for tone in range(len(TONES)):
        person = draw_person(half, tone, rng)
        skin = np.array([person.reflectance(blood) for blood in ERYTHEMA])
        assert 0.005 <= skin.min() < skin.max() < 0.9
        lab = linear_rgb_to_lab(skin @ to_linear_rgb())
        assert (np.diff(lab[:, 1]) > 0).all()  # more blood is redder ...
        assert (np.diff(lab[:, 0]) < 0).all()  # ... and darker
        lightness.append(lab[0, 0])
    assert (np.diff(lightness) < 0).all()
    assert 30 < lightness[-1] < lightness[0] < 80


def test_a_chart_of_spectra_has_the_published_colors() -> None:
    for name, most in (("babel", 2.0), ("ohta", 4.0)):
        lab = linear_rgb_to_lab(chart(name) @ to_linear_rgb())
        from_maker = de00(lab, _d65(lab_d50(Batch.BEFORE_2014)))
        assert np.median(from_maker) < most


def _d65(lab: np.ndarray) -> np.ndarray:
    from colorcal.color_math import lab_d50_to_linear_rgb

    return linear_rgb_to_lab(lab_d50_to_linear_rgb(lab))


def test_a_scene_is_the_same_each_time_and_its_truth_lies_where_it_says() -> None:
    setup = draw_setup(TRAINING, 3, codec="none", finger=False, glare=0.0)
    scene = render(setup)
    assert (render(setup).rgb == scene.rgb).all()
    white, black = (scene.rgb[tuple(np.rint(scene.centers[i][::-1]).astype(int))] for i in (18, 23))
    assert (white.astype(int) - black > 60).all()
    healthy, marked = scene.skin().reshape(len(TONES), len(ERYTHEMA), 3)[:, [0, -1]].transpose(1, 0, 2)
    assert (healthy[:, 1] > marked[:, 1]).all()
    assert [spot.tone for spot in scene.spots] == sorted(spot.tone for spot in scene.spots)


def test_every_light_meets_every_camera() -> None:
    drawn = [draw_setup(SCORING, index) for index in range(len(SCORING.cameras) * len(SCORING.lights))]
    assert len({(one.camera, one.light) for one in drawn}) == len(drawn)


@pytest.mark.parametrize("codec", ["jpeg", "vp8", "h264"])
def test_codecs_keep_color(codec: str) -> None:
    picture = np.full((240, 320, 3), (180, 120, 100), np.uint8)
    back = through_codec([picture], codec, 1)[0]
    assert de00(srgb_to_lab(back.mean(axis=(0, 1)) / 255), srgb_to_lab(np.array((180, 120, 100)) / 255)) < 1.0


def test_every_kind_of_negative_is_a_picture_with_something_in_it() -> None:
    for seed in range(len(KINDS) + 1):
        picture = negative(seed)
        assert picture.shape == (720, 1280, 3)
        assert picture.std() > 3


def test_a_video_moves_and_flickers_little() -> None:
    video = film(draw_setup(TRAINING, 4, codec="none", width=640, height=360, pitch_px=30.0))
    assert len(video.frames) == 20
    assert 0 < jitter([video.skin(frame) for frame in video.frames]) < 1.5


def test_truth_scores_zero_and_a_wrong_gain_counts_only_before_the_gain() -> None:
    scene = render(draw_setup(TRAINING, 5))
    exact, dark = Score(), Score()
    exact.add(scene, Outcome(scene.centers, scene.truth))
    dark.add(scene, Outcome(scene.centers + scene.setup.pitch_px, scene.truth * 0.9))
    best, worse = Report("a"), Report("b")
    exact.write(best, "", finds=True)
    dark.write(worse, "", finds=True)
    assert best.figures["found"] == 1
    assert best.figures["de00_p95"] == 0
    assert best.figures["erythema_error"] == 0
    assert best.figures["erythema_order"] == 1
    assert (worse.figures["found"], worse.figures["misplaced"]) == (0, 1)
    assert worse.figures["de00_median"] > 2
    assert worse.figures["de00_gain_median"] < 0.35 * worse.figures["de00_median"]
    assert len(best.rows) == len(TONES)
