"""The web interface's types are what the generator writes from the messages."""

from __future__ import annotations

import msgspec

from signaling import messages, typescript


def test_the_checked_in_file_is_up_to_date() -> None:
    assert typescript.OUTPUT.read_text("utf-8") == typescript.render()


def test_every_message_has_an_interface() -> None:
    text = typescript.render()
    structs = [
        value
        for value in vars(messages).values()
        if isinstance(value, type)
        and issubclass(value, msgspec.Struct)
        and value.__module__ == messages.__name__
    ]
    for struct in set(structs) - {messages.Request, messages.View}:
        assert f"export interface {struct.__name__} {{" in text


def test_kinds_of_fields() -> None:
    text = typescript.render()
    assert "  lut: ArrayBuffer;" in text
    assert "  waiting_since: string | null;" in text
    assert "  illuminant_xy: [number, number];" in text
    assert '  purposes: ("care" | "teaching")[];' in text
    assert "  words?: string;" in text
    assert "  publications: Record<string, SourceName>;" in text
    assert "  urgency: UrgencyName;" in text


def test_check_tells_a_difference(tmp_path, monkeypatch, capsys) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(typescript, "OUTPUT", tmp_path / "wire" / "messages.ts")
    assert typescript.main(["--check"]) == 1
    assert "differs" in capsys.readouterr().err
    assert typescript.main([]) == 0
    assert typescript.main(["--check"]) == 0
    assert typescript.main(["--nonsense"]) == 2
