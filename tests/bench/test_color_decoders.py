"""The bench of mistaken decoders: its rows hold what they say, and its mix-ups are ones."""

from __future__ import annotations

import numpy as np

from bench.color_decoders import MIX_UPS, STATED, measure, seen_by
from bench.color_scene.halves import TRAINING
from bench.harness import Report


def test_a_mix_up_changes_colors_and_none_does_not() -> None:
    colors = np.random.default_rng(1).uniform(0.1, 0.9, (40, 3))
    for made, taken in MIX_UPS.values():
        assert np.abs(seen_by(colors, made, taken) - colors).max() > 0.01
        np.testing.assert_allclose(seen_by(colors, made, made), colors, atol=1e-9)


def test_its_rows() -> None:
    report = Report("color", {})
    measure(report, TRAINING, 2)
    assert [row["case"] for row in report.rows] == [*MIX_UPS, *STATED]
    for row in report.rows[: len(MIX_UPS)]:
        assert number(row["undone_4_median"]) < number(row["no_mix_up_median"]) + 0.5
        assert number(row["as_it_is_p95"]) >= number(row["as_it_is_median"])
    assert all(0 <= number(row["changed"]) <= 1 for row in report.rows[len(MIX_UPS) :])


def number(value: object) -> float:
    assert isinstance(value, float)
    return value
