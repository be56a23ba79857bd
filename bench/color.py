"""`./dev bench color`: charts found, skin color error, steadiness and cost, beside the peers.

Scenes are rendered from spectra with known truth (bench/color_scene/) and drawn from the half that nothing in
colorcal was chosen on. `--full` takes more of everything, the cost by frame size, and mistaken decoders.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

import colorcal
from bench import color_decoders, harness
from bench.color_ccd import ColourCheckerDetection
from bench.color_layouts import card_steps, score_layouts
from bench.color_peers import Nothing, OpenCv, Ours, Peer
from bench.color_scene.halves import SCORING
from bench.color_scene.negatives import negative
from bench.color_scene.render import Scene, draw_setup, render
from bench.color_scene.sequences import Sequence as Video
from bench.color_scene.sequences import film
from bench.color_score import Score, jitter
from colorcal.color_math import Floats
from colorcal.interface import ChartDetection


@dataclass(frozen=True, slots=True)
class _Extent:
    """How much is rendered. layouts: scenes of each ColorChecker but the Classic, twice as many of the card.

    Peers see every `peer_step`th negative, for they take ten times as long; a step that shares no factor with
    the number of kinds shows them every kind.
    """

    scenes: int
    negatives: int
    peer_step: int
    videos: int
    layouts: int
    repetitions: int


_QUICK: Final = _Extent(scenes=8, negatives=22, peer_step=5, videos=1, layouts=2, repetitions=3)
_DEFAULT: Final = _Extent(scenes=48, negatives=506, peer_step=19, videos=2, layouts=8, repetitions=15)
_FULL: Final = _Extent(scenes=504, negatives=1892, peer_step=3, videos=12, layouts=84, repetitions=60)
_DECODER_SCENES: Final = 120
_SIZES_PX: Final = ((640, 360), (1280, 720), (1920, 1080), (4000, 3000))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    options = harness.parse("color", __doc__ or "", arguments, has_full=True)
    cv2.setNumThreads(1)
    extent = _QUICK if options.quick else _FULL if options.full else _DEFAULT
    conditions = harness.machine("opencv-python-headless", "colour-science", "numpy")
    report = harness.Report(
        "color", conditions | {"scenes": extent.scenes, "threads": 1, "half": SCORING.name}
    )
    peers: dict[str, Peer] = {"": Ours(), "mcc_": OpenCv(), "none_": Nothing()}
    try:
        peers["ccd_"] = ColourCheckerDetection()
    except harness.PeerDidNotRun as error:
        print(f"no ccd_ figures: {error}", file=sys.stderr)
        report.conditions["ccd"] = str(error)
    _skin(report, peers, extent)
    score_layouts(report, extent.layouts)
    _negatives(report, peers, extent)
    _steadiness(report, peers, extent)
    _costs(report, peers, extent)
    if options.full:
        _costs_by_size(report, extent)
        color_decoders.measure(report, SCORING, _DECODER_SCENES)
    report.finish(options)


def _skin(report: harness.Report, peers: dict[str, Peer], extent: _Extent) -> None:
    """Every method on every scene in turn, a slow one on a share of them."""
    scores = {prefix: Score() for prefix in peers}
    for index in range(extent.scenes):
        scene = render(draw_setup(SCORING, index))
        for prefix, peer in peers.items():
            if index % peer.every == 0:
                scores[prefix].add(scene, peer.correct(scene.rgb, scene.skin))
    for prefix, score in scores.items():
        score.write(report, prefix, finds=peers[prefix].finds)


def _negatives(report: harness.Report, peers: dict[str, Peer], extent: _Extent) -> None:
    finders = {prefix: peer for prefix, peer in peers.items() if peer.finds}
    seen, false = dict.fromkeys(finders, 0), dict.fromkeys(finders, 0)
    for seed in range(extent.negatives):
        picture = negative(seed)
        for prefix, peer in finders.items():
            if prefix == "" or seed % (extent.peer_step * peer.every) == 0:
                seen[prefix] += 1
                false[prefix] += peer.find(picture) is not None
    for prefix in finders:
        report.figure(f"{prefix}negatives", seen[prefix])
        report.figure(f"{prefix}false_finds", false[prefix])


def _steadiness(report: harness.Report, peers: dict[str, Peer], extent: _Extent) -> None:
    """Change of skin from frame to frame: each peer anew on each frame, ours as a call uses it."""
    taken: dict[str, list[float]] = {prefix: [] for prefix in peers}
    for index in range(extent.videos):
        video = film(draw_setup(SCORING, 10_000 + index, codec="vp8"))
        for prefix, peer in peers.items():
            if index % peer.every:
                continue
            skin = (
                _followed(video)
                if isinstance(peer, Ours)
                else [peer.correct(frame, video.skin).skin for frame in video.frames]
            )
            taken[prefix].append(jitter(skin))
    for prefix, values in taken.items():
        report.figure(f"{prefix}jitter", float(np.median(values)))


def _followed(video: Video) -> list[Floats]:
    """Skin of each frame as a viewer sees it: the chart tracked, the calibration kept steady."""
    steady, place = colorcal.SteadyCalibration(), None
    skin = []
    for number, frame in enumerate(video.frames):
        place = _find_again(frame, place)
        made = None if place is None else colorcal.calibrate(frame, place)
        shown = steady.update(made, number / video.frames_per_s)
        skin.append(video.skin(frame if shown is None else np.asarray(shown.apply(frame), np.uint8)))
    return skin


def _find_again(frame: NDArray[np.uint8], place: ChartDetection | None) -> ChartDetection | None:
    tracked = None if place is None else colorcal.track_chart(frame, place)
    return colorcal.detect_chart(frame) if tracked is None else tracked


def _timed_scene(width: int = 1280, height: int = 720) -> Scene:
    wanted = draw_setup(
        SCORING, 3, width=width, height=height, pitch_px=0.04 * width, rotation_deg=20.0, tilt_deg=20.0,
        codec="jpeg", finger=False, glare=0.0, motion_px=0.0, blur_px=0.8,
    )  # fmt: skip
    return render(wanted)


def _steps(scene: Scene) -> dict[str, Callable[[], object]]:
    calibration = colorcal.calibrate(scene.rgb)
    if calibration is None:
        raise harness.PeerDidNotRun("the chart of the timed scene was not found")
    detection = calibration.detection

    def estimate() -> object:
        fitted = colorcal.calibrate(scene.rgb, detection)
        return None if fitted is None else fitted.lut()

    calibration.apply(scene.rgb)
    without = render(scene.setup, with_chart=False).rgb
    frames = itertools.count()
    return {
        "detect_ms": lambda: colorcal.detect_chart(scene.rgb),
        "absent_ms": lambda: colorcal.detect_chart(without),
        "absent_in_call_ms": lambda: colorcal.detect_chart(without, turn=next(frames)),
        "track_ms": lambda: colorcal.track_chart(scene.rgb, detection),
        "estimate_ms": estimate,
        "apply_ms": lambda: calibration.apply(scene.rgb),
    }


def _costs(report: harness.Report, peers: dict[str, Peer], extent: _Extent) -> None:
    """Median cost in ms at 720p, interleaved, on one thread."""
    scene = _timed_scene()
    steps = _steps(scene)
    for prefix, peer in peers.items():
        if prefix and peer.finds:
            steps[f"{prefix}detect_ms"] = lambda peer=peer: peer.find(scene.rgb)  # type: ignore[misc]
    steps |= card_steps()
    for name, cost_ms in _medians_ms(steps, extent.repetitions).items():
        report.figure(name, cost_ms)


def _costs_by_size(report: harness.Report, extent: _Extent) -> None:
    for width, height in _SIZES_PX:
        scene = _timed_scene(width, height)
        cost_ms = _medians_ms(_steps(scene), max(5, extent.repetitions // 6))
        report.row(width=width, height=height, **cost_ms)


def _medians_ms(steps: dict[str, Callable[[], object]], repetitions: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        step()  # tables that are made once
    for _, name, step in harness.interleaved(steps, repetitions):
        start = time.perf_counter()
        step()
        taken[name].append(1e3 * (time.perf_counter() - start))
    return {name: float(np.median(times)) for name, times in taken.items()}


if __name__ == "__main__":
    main(sys.argv[1:])
