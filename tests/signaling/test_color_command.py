"""`truehue color correct` as a user runs it: a picture in, a corrected one and a report out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pypdfium2
import pytest
from numpy.typing import NDArray

from bench.color_scene.render import Scene, Setup, render
from colorcal.card import NOMINAL_LAB
from colorcal.color_math import de00, srgb_to_lab
from records.images import encode_derived, to_srgb
from tests.signaling.test_cli import command
from tests.support.pictures import heic


@pytest.fixture(scope="module")
def scene() -> Scene:
    return render(Setup(camera="bells 1", light="FL12", seed=4, cast=(1.15, 1.0, 0.9), rotation_deg=20.0))


@pytest.mark.parametrize(("encode", "suffix"), [(encode_derived, ".png"), (heic, ".jpg")])
async def test_a_picture_is_corrected_and_reported(
    tmp_path: Path, scene: Scene, encode: Callable[[NDArray[np.uint8]], bytes], suffix: str
) -> None:
    original, corrected, report = tmp_path / "in", tmp_path / f"out{suffix}", tmp_path / "report.json"
    original.write_bytes(encode(scene.rgb))
    code, out, err = await command(
        tmp_path, "color", "correct", str(original), str(corrected), "--report", str(report)
    )
    assert (code, err) == (0, "")
    assert "dE00" in out
    known = json.loads(report.read_text("utf-8"))
    assert known["detected"] is True
    assert known["grade"] in ("good", "usable")
    assert 0 < known["expected_de00"] < 6
    assert np.abs(np.array(known["centers"]) - scene.centers).max() < 0.1 * scene.setup.pitch_px
    picture = to_srgb(corrected.read_bytes())
    assert corrected.read_bytes()[:4] == (b"\x89PNG" if suffix == ".png" else b"\xff\xd8\xff\xe0")

    def error(skin: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
        return float(np.median(de00(srgb_to_lab(skin), srgb_to_lab(scene.truth))))

    assert error(scene.skin(picture)) < 0.5 * error(scene.skin())


async def test_without_a_chart_nothing_is_pretended(tmp_path: Path) -> None:
    original, corrected, report = tmp_path / "in.png", tmp_path / "out.png", tmp_path / "report.json"
    cv2.imwrite(str(original), np.full((300, 400, 3), 120, np.uint8))
    code, _, err = await command(
        tmp_path, "color", "correct", str(original), str(corrected), "--report", str(report)
    )
    assert code == 1
    assert "uncalibrated" in err
    assert json.loads(report.read_text("utf-8")) == {
        "detected": False, "centers": None, "grade": None, "expected_de00": None,
    }  # fmt: skip
    assert not corrected.exists()


@pytest.mark.parametrize("content", [b"", b"no picture at all", None])
async def test_what_is_no_picture_is_refused_in_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    original = tmp_path / "in.jpg"
    if content is not None:
        original.write_bytes(content)
    code, _, err = await command(tmp_path, "color", "correct", str(original), str(tmp_path / "out.jpg"))
    assert code == 1
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1


async def test_a_card_is_printed_found_and_measured(tmp_path: Path) -> None:
    pdf, picture, report = tmp_path / "card.pdf", tmp_path / "in.png", tmp_path / "report.json"
    code, out, err = await command(tmp_path, "color", "card", str(pdf), "--batch", "7")
    assert (code, err) == (0, "")
    assert "100 %" in out
    document = pypdfium2.PdfDocument(pdf)
    document[0].render(scale=2).to_pil().save(picture)
    document.close()
    prints = tmp_path / "prints.json"
    prints.write_text(json.dumps({"batches": [{"batch": 7, "lab_d50": NOMINAL_LAB.tolist()}]}), "utf-8")
    for options, measured in (([], False), (["--prints", str(prints)], True)):
        code, _, err = await command(
            tmp_path,
            "color",
            "correct",
            str(picture),
            str(tmp_path / "out.png"),
            "--report",
            str(report),
            *options,
        )
        assert (code, err) == (0, "")
        known = json.loads(report.read_text("utf-8"))
        assert (known["layout"], known["print_batch"]) == ("card", 7)
        assert known["scale_mm_per_px"] == pytest.approx(25.4 / 144, rel=5e-3)
        assert known["scale_low_mm_per_px"] < known["scale_mm_per_px"] < known["scale_high_mm_per_px"]
        assert ("not measured" in known["reference"]) != measured
        assert ("never measured" in known["words"]["en"]) != measured


async def test_a_declared_chart_has_a_scale(tmp_path: Path, scene: Scene) -> None:
    original, report = tmp_path / "in.png", tmp_path / "report.json"
    original.write_bytes(encode_derived(scene.rgb))
    arguments = ["color", "correct", str(original), str(tmp_path / "out.jpg"), "--report", str(report)]
    code, _, _ = await command(tmp_path, *arguments, "--chart", "passport")
    assert code == 0
    known = json.loads(report.read_text("utf-8"))
    assert known["layout"] == "passport"
    assert known["scale_mm_per_px"] == pytest.approx(15 / scene.setup.pitch_px, rel=0.03)
    code, _, _ = await command(tmp_path, *arguments, "--chart", "mini")
    assert code == 0
    assert json.loads(report.read_text("utf-8"))["scale_mm_per_px"] is None
    code, _, err = await command(tmp_path, *arguments, "--pitch-mm", "12")
    assert code == 1
    assert "chart_layout" in err


@pytest.mark.parametrize("content", ["{}", "no JSON", None])
async def test_bad_prints_are_refused_in_a_sentence(tmp_path: Path, content: str | None) -> None:
    prints = tmp_path / "prints.json"
    if content is not None:
        prints.write_text(content, "utf-8")
    code, _, err = await command(tmp_path, "color", "correct", "in.png", "out.png", "--prints", str(prints))
    assert code == 1
    assert "card_prints" in err
    assert len(err.splitlines()) == 1
