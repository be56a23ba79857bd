"""Every error that a part can raise has its line in the table, and the document follows the table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from media.interface import MediaError
from records.interface import RecordError
from signaling import errors
from signaling.errors import ERRORS, reply, status

SIGNALING = Path(errors.__file__).parent


def kinds(base: type[Exception]) -> set[type[Exception]]:
    return {base}.union(*(kinds(sub) for sub in base.__subclasses__()))


@pytest.mark.parametrize("base", [RecordError, MediaError])
def test_the_parts_errors_are_in_the_table(base: type[Exception]) -> None:
    told = {kind for kind in kinds(base) if kind.__module__.endswith((".interface", ".errors"))}
    assert len(told) > 1
    for kind in told:
        assert vars(kind)["error_id"] in ERRORS


def test_every_refusal_in_the_code_is_in_the_table() -> None:
    raised = set()
    for path in SIGNALING.glob("*.py"):
        raised |= set(re.findall(r'Refusal\(\s*"([a-z_.]+)"', path.read_text("utf-8")))
    assert raised
    assert raised <= set(ERRORS)


def test_an_unknown_id_says_nothing() -> None:
    assert reply("made.up").error.id == "server.error"
    assert status("made.up") == 500


def test_statuses_are_errors() -> None:
    assert all(400 <= code < 600 for code, _ in ERRORS.values())


def test_the_document_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert errors.DOCS.read_text("utf-8") == errors.markdown()
    monkeypatch.setattr(errors, "DOCS", tmp_path / "errors.md")
    assert errors.main([]) == 2
    assert errors.main(["--markdown"]) == 0
    assert (tmp_path / "errors.md").read_text("utf-8") == errors.markdown()
