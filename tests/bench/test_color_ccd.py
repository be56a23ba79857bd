"""The peer that needs an environment of its own says why it did not run, and no figures stand for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.color_ccd import ColourCheckerDetection
from bench.harness import PeerDidNotRun


def test_where_it_cannot_be_installed_it_says_so_and_tries_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    for _ in range(2):
        with pytest.raises(PeerDidNotRun, match=r"could not be installed: .*colour-checker-detection"):
            ColourCheckerDetection()
    assert not list(tmp_path.rglob("installed"))
