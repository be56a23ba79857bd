"""The benchmarks' harness: honest ratios, fair order, figures that a tool can read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.harness import Options, PeerDidNotRun, Report, interleaved, machine, parse, percentile


def test_options() -> None:
    assert parse("join", "what", []) == Options(quick=False, json_file=None)
    assert parse("join", "what", ["--quick", "--json", "a.json"]) == Options(True, Path("a.json"))


def test_unknown_option_exits_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        parse("join", "what", ["--fast"])
    assert raised.value.code == 2
    assert "./dev bench join" in capsys.readouterr().err


def test_report_is_written_in_the_agreed_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("join", conditions={"codec": "VP8"})
    report.row(join=1, first_frame_ms=412.5)
    report.figure("first_frame_p95_ms", 412.5)
    report.finish(Options(quick=True, json_file=tmp_path / "new" / "join.json"))
    written = json.loads((tmp_path / "new" / "join.json").read_text("utf-8"))
    assert written == {
        "figures": {"first_frame_p95_ms": 412.5},
        "rows": [{"join": 1, "first_frame_ms": 412.5}],
        "conditions": {"codec": "VP8"},
    }
    assert "first_frame_p95_ms  412.5" in capsys.readouterr().out


def test_ratio_of_medians() -> None:
    report = Report("x")
    report.ratio("speed_up", [3.0, 2.0, 100.0], [1.0, 1.5, 2.0])
    assert report.figures == {"speed_up": 2.0}


@pytest.mark.parametrize(("ours", "peers"), [([], [1.0]), ([1.0], []), ([], [])])
def test_no_ratio_without_both_sides(ours: list[float], peers: list[float]) -> None:
    report = Report("x")
    with pytest.raises(PeerDidNotRun):
        report.ratio("speed_up", ours, peers)
    assert report.figures == {}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_is_a_number(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Report("x").figure("f", value)


def test_a_figure_stands_once() -> None:
    report = Report("x")
    report.figure("f", 1)
    with pytest.raises(ValueError, match="already"):
        report.figure("f", 2)


def test_sides_take_turns() -> None:
    order = [(repetition, name) for repetition, name, _ in interleaved({"ours": 1, "peer": 2}, 3)]
    assert order == [(0, "ours"), (0, "peer"), (1, "peer"), (1, "ours"), (2, "ours"), (2, "peer")]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.floats(0.001, 100))
def test_percentile_is_a_measured_value_that_covers_its_share(values: list[float], percent: float) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= percent / 100 * len(values) - 1e-9


def test_percentiles_of_known_values() -> None:
    values = [float(value) for value in range(10, 0, -1)]
    assert [percentile(values, percent) for percent in (50, 90, 95, 100)] == [5, 9, 10, 10]


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_percentile_of_nothing(values: list[float], percent: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, percent)


def test_machine_states_versions() -> None:
    conditions = machine("aiohttp")
    assert conditions["aiohttp"]
    assert isinstance(conditions["cores"], int)
    assert conditions["processor"] is not None
