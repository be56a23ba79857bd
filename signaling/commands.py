"""What the `truehue` command understands; each command imports what it needs when it runs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, TypeVar

import typer

from signaling.cli import INTERRUPTED, leave_on_interrupt

if TYPE_CHECKING:
    from signaling.settings import Settings

T = TypeVar("T")

app = typer.Typer(
    help="Real-time teleconsultation for dermatology.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
staff_app = typer.Typer(help="Accounts of specialists and referrers.", no_args_is_help=True)
keys_app = typer.Typer(help="The master key that seals the record.", no_args_is_help=True)
audit_app = typer.Typer(help="The append-only audit of the record.", no_args_is_help=True)
color_app = typer.Typer(help="Color correction by a chart in the picture.", no_args_is_help=True)
retention_app = typer.Typer(help="What was deleted and is past its retention.", no_args_is_help=True)
app.add_typer(retention_app, name="retention")
app.add_typer(staff_app, name="staff")
app.add_typer(keys_app, name="keys")
app.add_typer(audit_app, name="audit")
app.add_typer(color_app, name="color")


@app.command()
def serve() -> None:
    """Serve with the settings (TRUEHUE_* variables, TRUEHUE_CONFIG); see docs/settings.md."""
    settings = _settings()
    from signaling.run import serve as serve_with

    _end(_run(serve_with(settings)))


@app.command()
def run(
    lan: Annotated[bool, typer.Option(help="Serve HTTPS to phones on the same network.")] = False,
    demo: Annotated[bool, typer.Option(help="Add a demo clinic with a simulated patient.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON with the links.")] = False,
    port: Annotated[int | None, typer.Option(help="TCP port; 0 takes a free one.", min=0, max=65535)] = None,
) -> None:
    """Start with the embedded defaults and print the links to open."""
    overrides: dict[str, Any] = {}
    if port is not None:
        overrides["http_port"] = port
    if demo:
        overrides["demo"] = True
    if "TRUEHUE_MEDIA_PORT" not in os.environ:
        overrides["media_port"] = 0
    settings = _settings(**overrides)
    from signaling.run import run as run_with

    _end(_run(run_with(settings, lan=lan, as_json=json)))


@app.command()
def simulate(link: Annotated[str, typer.Argument(help="A patient's personal link.")]) -> None:
    """Join as a simulated patient, until the consultation has ended."""
    from signaling.run import simulate as simulate_at

    _end(_run(simulate_at(link)))


@app.command()
def doctor() -> None:
    """Look at everything that a server needs. Ends with 1 when something is wrong."""
    from signaling.doctor import examine

    async def look() -> bool:
        fine = True
        async for finding in examine(_settings(log_level="error")):
            print(f"{'ok   ' if finding.fine else 'WRONG'} {finding.what}: {finding.words}")
            fine = fine and finding.fine
        return fine

    if not _run(look()):
        raise typer.Exit(1)


@app.command("turn-config")
def turn_config(
    output: Annotated[Path, typer.Option(help="Where to write turnserver.conf.")],
    external_ip: Annotated[str, typer.Option(help="The public address, behind a NAT.")] = "",
) -> None:
    """Write coturn's configuration from the same settings, readable by its user alone."""
    from signaling.compose import coturn_configuration

    try:
        text = coturn_configuration(_settings(), external_ip)
        output.unlink(missing_ok=True)
        with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    except (ValueError, OSError) as error:
        _fail(str(error))


@color_app.command("correct")
def color_correct(
    original: Annotated[Path, typer.Argument(metavar="IN", help="A JPEG, PNG, WebP or HEIC picture.")],
    corrected: Annotated[
        Path, typer.Argument(metavar="OUT", help="Written as PNG by that suffix, else JPEG.")
    ],
    report: Annotated[
        Path | None, typer.Option(help="Write what is known of the correction as JSON.")
    ] = None,
    chart: Annotated[
        Literal["auto", "classic", "mini", "passport", "nano", "card"],
        typer.Option(help="Which chart it is, for a scale in millimetres."),
    ] = "auto",
    pitch_mm: Annotated[
        float, typer.Option(help="Distance of that chart's patches, as measured.", min=0, max=100)
    ] = 0.0,
    prints: Annotated[str, typer.Option(help="JSON file with the consult card's measured batches.")] = "",
) -> None:
    """Correct one picture by the chart in it. Ends with 1 without a chart, and then writes no picture."""
    import json

    from records.interface import RecordError
    from signaling.color_command import correct_picture
    from signaling.compose import color_functions
    from signaling.settings import SettingsError

    try:
        functions = color_functions(chart, pitch_mm, prints)
        data = original.read_bytes()
        made = correct_picture(functions, data, as_png=corrected.suffix.lower() == ".png")
        if made.encoded is not None:
            corrected.write_bytes(made.encoded)
        if report is not None:
            text = json.dumps(made.report, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
            report.write_text(text, encoding="utf-8")
    except (RecordError, SettingsError, OSError) as error:
        _fail(str(error))
    if made.encoded is None:
        _fail(made.words)
    print(made.words)


@color_app.command("card")
def color_card(
    output: Annotated[Path, typer.Argument(metavar="OUT.pdf", help="Where to write the card.")],
    batch: Annotated[
        int, typer.Option(help="Number of this print batch, 1 to 120; 0: none.", min=0, max=120)
    ] = 0,
) -> None:
    """Write the consult card as a PDF to print: the colors, the markers, a ruler, and a sheet to measure."""
    from signaling.compose import consult_card

    try:
        output.write_bytes(consult_card(batch))
    except OSError as error:
        _fail(str(error))
    print(f"{output}: print it at 100 %, and check its ruler.")


@staff_app.command("add")
def staff_add(
    role: Annotated[Literal["specialist", "referrer"], typer.Option(help="What the account may do.")],
    email: Annotated[str, typer.Option(help="What one signs in with.")],
    name: Annotated[str, typer.Option(help="As others see it.")],
    site: Annotated[str, typer.Option(help="Clinic or practice; made when it is new.")],
    language: Annotated[Literal["en", "zh"], typer.Option(help="Of the pages.")] = "en",
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
) -> None:
    """Add an account; asks for its password."""
    from signaling.run import MIN_PASSWORD, add_staff

    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        # While it is typed the terminal shows nothing: an interrupt has to pass through what undoes that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        leave_on_interrupt()
    if len(password) < MIN_PASSWORD:
        _fail(f"The password needs {MIN_PASSWORD} characters or more.")
    if "@" not in email:
        _fail("The e-mail address has no @.")
    _run(add_staff(_settings(), role, email, name, site, language, password))
    print(f"Added {role} at {site}.")


@app.command()
def backup(
    to: Annotated[str, typer.Option(help="A folder, or s3://...; else the setting backup_to.")] = "",
) -> None:
    """Back the record up to a second place, also while the server runs, and read all of it again."""
    from signaling.record_commands import back_up, backup_words

    done = _run(back_up(_settings(log_level="error"), to))
    print(backup_words(done))
    if done.missing_blobs:
        raise typer.Exit(1)


@app.command()
def restore(
    source: Annotated[str, typer.Option("--from", help="A folder, or s3://...; else backup_to.")] = "",
    backup: Annotated[str, typer.Option(help="Which one; the latest by default.")] = "",
    check: Annotated[bool, typer.Option(help="Only read all of it and compare; change nothing.")] = False,
    list_only: Annotated[bool, typer.Option("--list", help="Only list the backups at the place.")] = False,
) -> None:
    """Restore a backup into an empty installation whose server is not running. All of it, or nothing."""
    from signaling.record_commands import list_backups
    from signaling.record_commands import restore as restore_from

    settings = _settings(log_level="error")
    if list_only:
        for line in _run(list_backups(settings, source)):
            print(line)
        return
    words, fine = _run(restore_from(settings, source, backup or None, check))
    print(words)
    if not fine:
        raise typer.Exit(1)


@keys_app.command("rotate")
def keys_rotate() -> None:
    """Change the master key for a new one, with the server stopped. Run again, it goes on where it was."""
    from signaling.record_commands import rotate_master_key

    print(_run(rotate_master_key(_settings(log_level="error"))))


@audit_app.command("verify")
def audit_verify() -> None:
    """Walk the audit's hash chain. Ends with 1 where it breaks."""
    from records.interface import RecordError
    from signaling.run import verify_audit

    try:
        count = _run(verify_audit(_settings(log_level="error")))
    except RecordError as error:
        _fail(f"The audit does not hold: {error} ({error.error_id}).")
    print(f"{count} audit lines hold together.")


@audit_app.command("show")
def audit_show(
    last: Annotated[int, typer.Option(help="How many of the latest lines.", min=1)] = 50,
) -> None:
    """Print the latest lines: number, when, who, from where, what, of what, why."""
    from signaling.record_commands import audit_lines

    for line in _run(audit_lines(_settings(log_level="error"), last)):
        print(line)


@retention_app.command("list")
def retention_list() -> None:
    """Say what was deleted and may be removed by now."""
    _print_retention(remove=False)


@retention_app.command("remove")
def retention_remove() -> None:
    """Remove for good what was deleted and has been kept long enough, with an audit line for each."""
    _print_retention(remove=True)


def _print_retention(*, remove: bool) -> None:
    from signaling.run import past_retention

    counts = _run(past_retention(_settings(log_level="error"), remove=remove))
    for kind, count in sorted(counts.items()):
        print(f"{kind}: {count}")
    done = "removed" if remove else "past their retention"
    print(f"{counts.total()} entries {done}.")


def _settings(**overrides: Any) -> Settings:
    from signaling import logs
    from signaling.settings import SettingsError, load

    try:
        settings = load(os.environ, **overrides)
    except SettingsError as error:
        _fail(f"Setting {error}")
    logs.set_up(settings.log_level, settings.log_format)
    return settings


def _run(work: Coroutine[Any, Any, T]) -> T:
    from records.interface import RecordError
    from signaling.settings import SettingsError

    try:
        if sys.platform == "win32":
            return asyncio.run(work)
        import uvloop

        return uvloop.run(work)
    except KeyboardInterrupt:  # in the moment between two handlers
        raise typer.Exit(INTERRUPTED) from None
    except SettingsError as error:
        _fail(f"Setting {error}")
    except RecordError as error:
        _fail(f"{error} ({error.error_id})")
    except OSError as error:
        _fail(f"Cannot start: {error.strerror or error}")
    finally:
        leave_on_interrupt()  # a loop that closes puts the default back


def _end(code: int) -> NoReturn:
    raise typer.Exit(code)


def _fail(words: str) -> NoReturn:
    print(words, file=sys.stderr)
    raise typer.Exit(1)
