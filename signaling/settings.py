"""Every setting: TRUEHUE_* variables over a TOML file over defaults; --markdown writes docs/settings.md."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
import msgspec.inspect
from msgspec import Meta, Struct

PREFIX = "TRUEHUE_"
CONFIG_VARIABLE = "TRUEHUE_CONFIG"
SECRET_SETTINGS = frozenset(
    {"turn_secret", "smtp_url", "database_url", "redis_url", "blobs_url", "backup_to"}
)
DOCS = Path(__file__).resolve().parent.parent / "docs" / "settings.md"

Port = Annotated[int, Meta(ge=0, le=65535)]
Positive = Annotated[int, Meta(ge=1)]


class SettingsError(Exception):
    """A setting is unknown, of the wrong type or out of range; `setting` names it, never its value."""

    error_id = "settings.invalid"

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(f"{setting}: {problem}")
        self.setting = setting


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All settings of one server. Each field's description is its line in docs/settings.md."""

    data: Annotated[
        str, Meta(description="Folder of everything that is kept: database, blobs, keys, certificate.")
    ] = "data"
    http_host: Annotated[str, Meta(description="Address that HTTP and Socket.IO listen on.")] = "127.0.0.1"
    http_port: Annotated[Port, Meta(description="TCP port of HTTP and Socket.IO; 0 takes a free one.")] = 8080
    public_url: Annotated[
        str,
        Meta(
            description="What people's browsers open, as `https://clinic.example`; links are made from it. "
            "Empty: the address listened on.",
            pattern=r"^(https?://[^/\s]+)?$",
        ),
    ] = ""
    trusted_proxies: Annotated[
        int,
        Meta(
            ge=0,
            le=8,
            description="How many proxies in front append to X-Forwarded-For; 0: the header is ignored.",
        ),
    ] = 0
    tls_cert: Annotated[
        str, Meta(description="PEM file of the certificate chain; with tls_key, HTTPS is served.")
    ] = ""
    tls_key: Annotated[str, Meta(description="PEM file of the certificate's private key.")] = ""
    media_host: Annotated[str, Meta(description="Address that the UDP port of all media is bound to.")] = "::"
    media_port: Annotated[Port, Meta(description="The one UDP port of all media; 0 takes a free one.")] = (
        40000
    )
    media_addresses: Annotated[
        tuple[str, ...],
        Meta(
            description="IP addresses under which browsers reach the UDP port (a list, or with commas). "
            "Empty: every address of this host."
        ),
    ] = ()
    camera_max_bps: Annotated[
        int, Meta(ge=100_000, description="What one camera may send, in bits per second.")
    ] = 2_500_000
    native: Annotated[
        bool,
        Meta(description="Relay ordinary packets in C where it was built; false: all of them in Python."),
    ] = True
    chroma_emphasis: Annotated[
        Literal["auto", "off"],
        Meta(
            description="`auto`: a camera is sent with its skin tones stretched where every viewer can undo "
            "it, which keeps small lesions at low bitrates (docs/fidelity.md). `off`: never."
        ),
    ] = "auto"
    chart_layout: Annotated[
        Literal["auto", "classic", "mini", "passport", "nano", "card"],
        Meta(
            description="Which color chart this clinic uses, for a scale in millimetres (docs/color.md). "
            "`auto`: the consult card, or a ColorChecker of unknown size."
        ),
    ] = "auto"
    chart_pitch_mm: Annotated[
        float,
        Meta(
            ge=0,
            le=100,
            description="Distance of neighbouring patches' centers in a row of that ColorChecker, measured "
            "with a ruler over five of them. 0: what is known of the product.",
        ),
    ] = 0.0
    card_prints: Annotated[
        str,
        Meta(
            description="JSON file with the measured print batches of the consult card (docs/color.md). "
            "Empty: none was measured."
        ),
    ] = ""
    database_url: Annotated[
        str,
        Meta(
            description="`postgresql+asyncpg://...` or `sqlite+aiosqlite:///...`. "
            "Empty: SQLite in the data folder."
        ),
    ] = ""
    blobs_url: Annotated[
        str,
        Meta(
            description="Where pictures are kept: `s3://BUCKET/FOLDER`, with `KEY_ID:SECRET@` before the "
            "bucket and `?endpoint=URL&region=NAME` behind it as needed; what it leaves out is taken from "
            "the `AWS_*` variables. Empty: files in the data folder.",
            pattern=r"^(s3://\S+)?$",
        ),
    ] = ""
    master_key_file: Annotated[
        str,
        Meta(
            description="File of the 32-byte master key that seals the record. "
            "Empty: `keys/master.key` in the data folder, made at the first start with mode 0600."
        ),
    ] = ""
    old_master_key_file: Annotated[
        str,
        Meta(
            description="File of the master key of before a rotation, as long as that has not ended. "
            "Empty: `master.key.old` beside the key that the first start made, where it is there."
        ),
    ] = ""
    backup_to: Annotated[
        str,
        Meta(
            description="Second place of the record, for nightly backups: a folder, or `s3://...` as in "
            "blobs_url. Empty: none are made by the server."
        ),
    ] = ""
    backup_at: Annotated[
        str,
        Meta(
            description="When the nightly backup begins, as `HH:MM` in UTC.",
            pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        ),
    ] = "02:00"
    backup_keep_days: Annotated[
        Positive,
        Meta(description="How long a backup is kept, in days; the last three stay however old they are."),
    ] = 30
    redis_url: Annotated[
        str, Meta(description="`redis://host:port/db`, needed only for several nodes. Empty: one node.")
    ] = ""
    node_name: Annotated[
        str, Meta(description="This node's name among several. Empty: host name and process.", max_length=64)
    ] = ""
    turn_urls: Annotated[
        tuple[str, ...],
        Meta(description="`turn:` and `turns:` URLs of the TURN servers. Empty: none are offered."),
    ] = ()
    turn_secret: Annotated[str, Meta(description="The secret shared with coturn (`static-auth-secret`).")] = (
        ""
    )
    turn_ttl_s: Annotated[int, Meta(ge=60, le=86400, description="Life of TURN credentials, in seconds.")] = (
        3600
    )
    turn_tls_cert: Annotated[
        str,
        Meta(
            description="PEM file of the TURN servers' certificate chain, as coturn sees it; with "
            "turn_tls_key, coturn listens for TLS and `turns:` URLs are handed out."
        ),
    ] = ""
    turn_tls_key: Annotated[
        str, Meta(description="PEM file of that certificate's key, as coturn sees it.")
    ] = ""
    turn_tls_port: Annotated[
        int,
        Meta(ge=1, le=65535, description="Port on which coturn listens for TLS, where it has a certificate."),
    ] = 5349
    smtp_url: Annotated[
        str,
        Meta(
            description="`smtp://`, `smtp+starttls://` or `smtps://` with user, password, host and port. "
            "Empty: links are shown, not mailed.",
            pattern=r"^((smtp|smtps|smtp\+starttls)://\S+)?$",
        ),
    ] = ""
    mail_from: Annotated[str, Meta(description="Sender of mails; needed with smtp_url.")] = ""
    max_upload_bytes: Annotated[
        int, Meta(ge=1_000_000, description="Largest picture that is taken, in bytes.")
    ] = 64 * 1024 * 1024
    session_hours: Annotated[Positive, Meta(description="How long a staff member stays signed in.")] = 12
    keep_clinical_years: Annotated[
        Positive, Meta(description="For how many years what clinicians write is kept at least, once deleted.")
    ] = 15
    keep_document_years: Annotated[
        Positive, Meta(description="For how many years attached documents are kept at least, once deleted.")
    ] = 15
    keep_working_years: Annotated[
        Positive,
        Meta(description="For how many years aids of work (an arrow on a picture) are kept at least."),
    ] = 3
    link_days: Annotated[Positive, Meta(description="How long a personal link works.")] = 14
    demo: Annotated[
        bool, Meta(description="Keep a demo clinic with a simulated patient. Never with real patients.")
    ] = False
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least severity that is logged.")
    ] = "info"
    log_format: Annotated[
        Literal["console", "json"], Meta(description="Log lines for a person, or for a program.")
    ] = "console"

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}=***"
            if name in SECRET_SETTINGS and getattr(self, name)
            else f"{name}={getattr(self, name)!r}"
            for name in self.__struct_fields__
        )
        return f"Settings({shown})"

    @property
    def data_dir(self) -> Path:
        """The data folder, absolute."""
        return Path(self.data).resolve()

    @property
    def database(self) -> str:
        """database_url, or SQLite in the data folder."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'truehue.sqlite'}"

    @property
    def master_key_path(self) -> Path:
        """Where the master key lies."""
        return (
            Path(self.master_key_file).resolve()
            if self.master_key_file
            else self.data_dir / "keys/master.key"
        )

    @property
    def backup_time(self) -> time:
        """backup_at as a time of day, UTC."""
        return time.fromisoformat(self.backup_at)

    @property
    def old_master_key_path(self) -> Path | None:
        """Where the master key of before a rotation lies, if there is one."""
        if self.old_master_key_file:
            return Path(self.old_master_key_file).resolve()
        made = old_key_beside(self.master_key_path)
        return made if not self.master_key_file and made.exists() else None


def old_key_beside(path: Path) -> Path:
    """Where a rotation keeps the master key of before it."""
    return path.with_name(f"{path.name}.old")


_ANNOTATIONS = get_type_hints(Settings, include_extras=True)


def _described() -> list[tuple[msgspec.inspect.Field, msgspec.inspect.Type, str]]:
    """Each field with its bare type and its description."""
    info = msgspec.inspect.type_info(Settings)
    assert isinstance(info, msgspec.inspect.StructType)
    rows = []
    for field in info.fields:
        assert isinstance(field.type, msgspec.inspect.Metadata)
        rows.append((field, field.type.type, str((field.type.extra_json_schema or {})["description"])))
    return rows


_KINDS = {field.name: kind for field, kind, _ in _described()}


def load(environ: Mapping[str, str], **overrides: Any) -> Settings:
    """Settings from a TOML file (TRUEHUE_CONFIG), then TRUEHUE_* variables, then overrides.

    Raises SettingsError for an unreadable file, an unknown name or a value out of range.
    """
    values: dict[str, Any] = {}
    if path := environ.get(CONFIG_VARIABLE):
        values.update(_from_file(Path(path)))
    for variable, text in environ.items():
        if variable.startswith(PREFIX) and variable != CONFIG_VARIABLE:
            name = variable.removeprefix(PREFIX).lower()
            values[name] = _from_text(name, variable, text)
    values.update(overrides)
    for name in values:
        if name not in Settings.__struct_fields__:
            raise SettingsError(name, "there is no such setting")
    checked = {name: _convert(name, value) for name, value in values.items()}
    settings = Settings(**checked)
    _check_together(settings)
    return settings


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(CONFIG_VARIABLE, "the file cannot be read") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(CONFIG_VARIABLE, f"the file is not TOML: {error}") from error


def _from_text(name: str, variable: str, text: str) -> Any:
    """The value of a variable: lists are separated by commas, flags are 1/0, true/false, yes/no."""
    kind = _KINDS.get(name)
    if kind is None:
        raise SettingsError(variable, "there is no such setting")
    if isinstance(kind, msgspec.inspect.VarTupleType):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if isinstance(kind, msgspec.inspect.BoolType):
        flag = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(
            text.lower()
        )
        if flag is None:
            raise SettingsError(variable, "must be true or false")
        return flag
    if isinstance(kind, msgspec.inspect.IntType):
        try:
            return int(text)
        except ValueError as error:
            raise SettingsError(variable, "must be a whole number") from error
    return text


def _convert(name: str, value: Any) -> Any:
    try:
        return msgspec.convert(value, _ANNOTATIONS[name])
    except msgspec.ValidationError as error:
        raise SettingsError(name, str(error)) from error


def _check_together(settings: Settings) -> None:
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise SettingsError("tls_cert", "tls_cert and tls_key go together")
    if bool(settings.turn_urls) != bool(settings.turn_secret):
        raise SettingsError("turn_urls", "turn_urls and turn_secret go together")
    if bool(settings.turn_tls_cert) != bool(settings.turn_tls_key):
        raise SettingsError("turn_tls_cert", "turn_tls_cert and turn_tls_key go together")
    if settings.turn_tls_cert and not settings.turn_urls:
        raise SettingsError("turn_tls_cert", "is of no use without turn_urls")
    if settings.backup_to and settings.backup_to == settings.blobs_url:
        raise SettingsError("backup_to", "is to be another place than blobs_url")
    if settings.smtp_url and not settings.mail_from:
        raise SettingsError("mail_from", "is needed with smtp_url")


def markdown() -> str:
    """docs/settings.md: a table of every setting."""
    lines = [
        "# Settings",
        "",
        "Each is an environment variable, or a line of one TOML file that `TRUEHUE_CONFIG` names (there",
        "without the prefix and in lower case). A variable wins over the file, and what is unknown is",
        "refused at the start.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for field, _, description in _described():
        default = msgspec.json.encode(field.default).decode() if field.default not in ("", ()) else ""
        lines.append(
            f"| `{PREFIX}{field.name.upper()}` | {f'`{default}`' if default else 'none'} | {description} |"
        )
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """`--markdown` writes docs/settings.md."""
    if arguments != ["--markdown"]:
        print("usage: python -m signaling.settings --markdown", file=sys.stderr)
        return 2
    DOCS.write_text(markdown(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
