"""Settings come from variables, a file and defaults, and what is wrong is named without its value."""

from __future__ import annotations

from pathlib import Path

import pytest

from signaling import settings
from signaling.settings import Settings, SettingsError, load


def test_defaults_need_nothing() -> None:
    loaded = load({})
    assert loaded == Settings()
    assert loaded.database.startswith("sqlite+aiosqlite:////")
    assert loaded.database.endswith("/data/truehue.sqlite")
    assert loaded.master_key_path.parts[-3:] == ("data", "keys", "master.key")


def test_variables_of_every_kind() -> None:
    loaded = load(
        {
            "TRUEHUE_HTTP_PORT": "0",
            "TRUEHUE_DEMO": "yes",
            "TRUEHUE_MEDIA_ADDRESSES": "192.0.2.1, 2001:db8::1",
            "TRUEHUE_PUBLIC_URL": "https://clinic.example",
            "PATH": "/bin",
        }
    )
    assert (loaded.http_port, loaded.demo, loaded.public_url) == (0, True, "https://clinic.example")
    assert loaded.media_addresses == ("192.0.2.1", "2001:db8::1")


def test_a_variable_wins_over_the_file_and_the_caller_over_both(tmp_path: Path) -> None:
    file = tmp_path / "truehue.toml"
    file.write_text('http_port = 1000\nlink_days = 3\nmedia_addresses = ["192.0.2.1"]\nlog_level = "debug"\n')
    loaded = load({"TRUEHUE_CONFIG": str(file), "TRUEHUE_HTTP_PORT": "2000"}, link_days=5)
    assert (loaded.http_port, loaded.link_days, loaded.log_level) == (2000, 5, "debug")
    assert loaded.media_addresses == ("192.0.2.1",)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"TRUEHUE_HTTP_PROT": "1"}, "TRUEHUE_HTTP_PROT"),
        ({"TRUEHUE_HTTP_PORT": "many"}, "TRUEHUE_HTTP_PORT"),
        ({"TRUEHUE_HTTP_PORT": "70000"}, "http_port"),
        ({"TRUEHUE_DEMO": "perhaps"}, "TRUEHUE_DEMO"),
        ({"TRUEHUE_LOG_LEVEL": "loud"}, "log_level"),
        ({"TRUEHUE_PUBLIC_URL": "clinic.example"}, "public_url"),
        ({"TRUEHUE_TLS_CERT": "cert.pem"}, "tls_cert"),
        ({"TRUEHUE_TURN_URLS": "turn:turn.example"}, "turn_urls"),
        ({"TRUEHUE_TURN_TLS_CERT": "turn.pem"}, "turn_tls_cert"),
        ({"TRUEHUE_TURN_TLS_CERT": "turn.pem", "TRUEHUE_TURN_TLS_KEY": "turn.key"}, "turn_tls_cert"),
        ({"TRUEHUE_TURN_TLS_PORT": "0"}, "turn_tls_port"),
        ({"TRUEHUE_SMTP_URL": "smtp://mail.example"}, "mail_from"),
        ({"TRUEHUE_BLOBS_URL": "s3://b/x", "TRUEHUE_BACKUP_TO": "s3://b/x"}, "backup_to"),
        ({"TRUEHUE_BLOBS_URL": "ftp://b/x"}, "blobs_url"),
        ({"TRUEHUE_BACKUP_AT": "25:00"}, "backup_at"),
        ({"TRUEHUE_CONFIG": "/nowhere.toml"}, "TRUEHUE_CONFIG"),
    ],
)
def test_what_is_wrong_is_named(environ: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(environ)
    assert raised.value.setting == named
    assert raised.value.error_id == "settings.invalid"


def test_an_unknown_or_broken_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "truehue.toml"
    for text, named in (("htpp_port = 1\n", "htpp_port"), ("not toml", "TRUEHUE_CONFIG")):
        file.write_text(text)
        with pytest.raises(SettingsError) as raised:
            load({"TRUEHUE_CONFIG": str(file)})
        assert raised.value.setting == named


def test_secrets_are_not_shown() -> None:
    shown = repr(Settings(turn_urls=("turn:a",), turn_secret="hush hush", smtp_url="smtp://u:pw@mail"))
    assert "hush" not in shown
    assert "pw@" not in shown
    assert "turn_secret=***" in shown


def test_the_document_lists_every_setting() -> None:
    document = settings.DOCS.read_text("utf-8")
    assert document == settings.markdown()
    for name in Settings.__struct_fields__:
        assert f"`TRUEHUE_{name.upper()}`" in document


def test_the_generator_writes_the_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DOCS", tmp_path / "settings.md")
    assert settings.main([]) == 2
    assert settings.main(["--markdown"]) == 0
    assert (tmp_path / "settings.md").read_text("utf-8") == settings.markdown()
