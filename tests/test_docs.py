"""Documents and files as they must be: names exist, tables follow the code, locks agree."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
IGNORED = {".git", ".venv", "node_modules", "dist", "data", "__pycache__", "screenshots", "results"}
IGNORED |= {".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LOCKS = sorted(ROOT.glob("requirements*.lock"))
LONGEST_LINES = {".py": 500, ".ts": 500, ".tsx": 500, ".css": 700, ".md": 600}
# Files with a reason to be longer, each stated.
MAY_BE_LONGER = {
    "signaling/messages.py": "every message on the wire, in one place",
    "consult_ui/src/wire/messages.ts": "generated from signaling/messages.py",
    "CHANGELOG.md": "grows with every release",
}


def files() -> list[Path]:
    """Every file of the project, as it stands."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in IGNORED and not name.endswith(".egg-info")]
        found += [Path(folder) / name for name in names]
    return sorted(found)


def text_files() -> list[tuple[str, str]]:
    """Name and text of every file that is text."""
    found = []
    for path in files():
        data = path.read_bytes()
        if b"\0" not in data[:8192]:
            found.append((path.relative_to(ROOT).as_posix(), data.decode("utf-8")))
    return found


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    plain = re.sub(r"[`*_]", "", heading).strip().lower()
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", plain))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        linked = (document.parent / file).resolve() if file else document
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text("utf-8"), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, target


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_files_named_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    parts = "media|colorcal|records|turn|signaling|consult_ui|tests|bench|docs"
    for named in re.findall(rf"`((?:{parts})/[\w./*-]*)`", text):
        assert list(ROOT.glob(named.rstrip("/"))), named


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_commands_exist(document: Path) -> None:
    commands = set(
        re.findall(r'^    "(\w+)": command_\w+,$', (ROOT / "dev").read_text("utf-8"), re.MULTILINE)
    )
    assert commands >= {"run", "test", "check", "bench", "lock"}
    text = document.read_text("utf-8")
    for command in re.findall(r"\./dev (\w+)", text):
        assert command in commands, command
    for bench in re.findall(r"\./dev bench ([a-z]\w*)", text):
        assert (ROOT / "bench" / f"{bench}.py").is_file(), bench


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_truehue_commands_and_options_exist(document: Path) -> None:
    """What a document tells people to type is understood by the command line."""
    text = document.read_text("utf-8")
    typed = set(re.findall(r"(?<![\w/-])truehue ((?:[a-z][a-z-]* ?)*(?:--[a-z-]+)?)", _code(text)))
    for words in sorted(typed):
        command = [word for word in words.split() if not word.startswith("-")]
        if command:
            done = subprocess.run(
                [sys.executable, "-m", "signaling.cli", *command, "--help"],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"truehue {words}: {done.stderr}"


def _code(text: str) -> str:
    """The parts of a document that are code."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


@pytest.mark.parametrize("table", ["settings", "errors"])
def test_tables_follow_the_code(table: str) -> None:
    made: str = importlib.import_module(f"signaling.{table}").markdown()
    document = (ROOT / "docs" / f"{table}.md").read_text("utf-8")
    assert document == made, f"write it anew: python -m signaling.{table} --markdown"


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        name(path)
        for path in files()
        if path.suffix == ".py" and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert not silent


def test_no_file_is_too_long() -> None:
    long = []
    for file, text in text_files():
        most = LONGEST_LINES.get(Path(file).suffix)
        if most and text.count("\n") > most and file not in MAY_BE_LONGER:
            long.append(f"{file}: {text.count(chr(10))} lines, {most} allowed")
    assert not long


def test_no_registry_address_anywhere() -> None:
    # Put together here so that this file does not hold what it looks for.
    hosts = ["pypi" + ".org", "pythonhosted" + ".org", "registry" + ".npmjs", "registry" + ".yarnpkg"]
    hosts += ["deb." + "debian.org", "static." + "crates.io", "proxy." + "golang.org"]
    found = [f"{file}: {host}" for file, text in text_files() for host in hosts if host in text]
    assert not found


def test_locks_hold_hashes_and_every_dependency() -> None:
    assert [path.name for path in LOCKS] == sorted(
        ["requirements.lock", "requirements-test.lock", "requirements-tools.lock", "requirements-node.lock"]
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = {
        "requirements.lock": project["project"]["dependencies"],
        "requirements-test.lock": project["project"]["optional-dependencies"]["test"],
        "requirements-tools.lock": project["dependency-groups"]["tools"],
        "requirements-node.lock": project["dependency-groups"]["node"],
    }
    pinned = {path.name: _pins(path) for path in LOCKS}
    for lock, requirements in wanted.items():
        for requirement in map(Requirement, requirements):
            version = pinned[lock].get(canonicalize_name(requirement.name))
            assert version is not None, f"{lock} lacks {requirement.name}: ./dev lock"
            assert requirement.specifier.contains(version), f"{lock}: {requirement}: ./dev lock"
    # One environment is made from several locks, so they must agree.
    for lock in pinned:
        for package, version in pinned[lock].items():
            assert pinned["requirements-test.lock"].get(package, version) == version, f"{lock}: {package}"


def _pins(lock: Path) -> dict[str, str]:
    """Package -> version of a lock file; every entry has a hash, and nothing else stands in it."""
    text = lock.read_text("utf-8").replace("\\\n", " ")
    pins: dict[str, str] = {}
    for line in text.splitlines():
        pin, *hashes = re.split(r"\s+--hash=", line.strip())
        found = re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?==([\w.!+]+)(?: ; .+)?", pin)
        assert found is not None, f"{lock.name}: {pin}"
        assert hashes, f"{lock.name}: {pin} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), pin
        pins[canonicalize_name(found[1])] = found[2]
    return pins


def test_changelog_keeps_its_form() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    for heading in headings[1:]:
        assert re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", heading), heading
