"""What is deployed: compose file, proxy, image and the wheel inside it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from media import native
from media.native import build
from signaling.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ("app", "turn-config", "coturn", "caddy")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return loaded


def test_compose_follows_the_schema() -> None:
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_service_is_hardened(compose: dict[str, Any]) -> None:
    assert tuple(compose["services"]) == SERVICES
    for name, service in compose["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name


def test_every_service_that_stays_has_a_healthcheck(compose: dict[str, Any]) -> None:
    assert [n for n in SERVICES if "healthcheck" not in compose["services"][n]] == ["turn-config"]


def test_coturn_is_new_enough(compose: dict[str, Any]) -> None:
    found = re.fullmatch(r"coturn/coturn:(\d+)\.(\d+)\.\d+-r\d+", compose["services"]["coturn"]["image"])
    assert found is not None
    assert (int(found[1]), int(found[2])) >= (4, 15)


def test_variables_given_are_settings(compose: dict[str, Any]) -> None:
    given = compose["services"]["app"]["environment"]
    known = {f"TRUEHUE_{name.upper()}" for name in Settings.__struct_fields__}
    assert set(given) <= known
    assert f"{given['TRUEHUE_MEDIA_PORT']}:40000/udp" in compose["services"]["app"]["ports"]


def test_volumes_are_declared(compose: dict[str, Any]) -> None:
    used = {mount.split(":")[0] for name in SERVICES for mount in compose["services"][name]["volumes"]}
    assert {name for name in used if not name.startswith(".")} == set(compose["volumes"])


def test_no_secret_stands_in_a_file(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"SECRET|PASSWORD|KEY|URL$|TOKEN", name) and "DOMAIN" not in value:
                assert value.startswith("${"), name
    for path in ("docker-compose.yml", "Caddyfile", "Dockerfile", "docs/deploy.md"):
        assert not re.search(r"[0-9a-f]{32}|[A-Za-z0-9+/]{40}", (ROOT / path).read_text("utf-8")), path
    assert ".env" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_caddy_passes_on_to_the_application(compose: dict[str, Any]) -> None:
    text = "\n".join(
        line
        for line in (ROOT / "Caddyfile").read_text("utf-8").splitlines()
        if not line.lstrip().startswith("#")
    )
    assert text.count("{") == text.count("}")
    port = compose["services"]["app"]["environment"]["TRUEHUE_HTTP_PORT"]
    assert f"reverse_proxy app:{port}" in text
    largest = re.search(r"max_size (\d+)MB", text)
    assert largest is not None
    assert int(largest[1]) * 1_000_000 > Settings().max_upload_bytes


def test_dockerfile_is_clean() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_dockerfile_copies_what_is_not_ignored() -> None:
    kept = {
        line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")
    }
    for copied in re.findall(
        r"^COPY (?!--)(.+) \S+$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE
    ):
        for source in copied.split():
            assert source == "." or source.rstrip("/").split("/")[0] in kept, source
            assert (ROOT / source).exists(), source
    assert all((ROOT / name).exists() for name in kept)


def make_wheel(folder: Path, **variables: str) -> Path:
    """The wheel, built as the image builds it."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("truehue-*.whl")
    return wheel


@pytest.mark.skipif(native.why_not() is not None, reason=f"the loop in C: {native.why_not()}")
def test_the_wheel_holds_the_packet_loop_where_there_is_a_compiler(tmp_path: Path) -> None:
    built = make_wheel(tmp_path / "c")
    assert f"media/native/{build.target().name}" in zipfile.ZipFile(built).namelist()
    assert not built.name.endswith("-none-any.whl")
    plain = make_wheel(tmp_path / "python", CC="no-such-compiler")
    assert plain.name.endswith("-none-any.whl")
    assert not [name for name in zipfile.ZipFile(plain).namelist() if name.endswith(".so")]


def test_the_wheel_holds_the_product_and_nothing_else(tmp_path: Path) -> None:
    """Code, built pages and data files, no tests, no sources of the pages."""
    held = set(zipfile.ZipFile(make_wheel(tmp_path)).namelist())
    for page in "psr":
        assert f"consult_ui/dist/{page}/index.html" in held, "the pages are not built: ./dev test builds them"
    parts = ("colorcal", "media", "records", "signaling", "turn")
    for part in parts:
        files = [
            path
            for path in (ROOT / part).rglob("*")
            # What was built for this very machine stays on it.
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("_loop")
        ]
        assert {path.relative_to(ROOT).as_posix() for path in files} <= held
    allowed = (*(f"{part}/" for part in parts), "consult_ui/dist/", "consult_ui/__init__.py", "truehue-")
    assert [name for name in held if not name.startswith(allowed)] == []
