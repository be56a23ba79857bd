"""The import rule: parts never import each other; one file of signaling composes them all."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("media", "colorcal", "records", "turn")
OURS = (*PARTS, "signaling", "consult_ui", "bench", "tests")
COMPOSITION_ROOT = Path("signaling/compose.py")


def imported(path: Path, source: str) -> Iterator[tuple[int, str]]:
    """Line and absolute module name of every import, at any depth of the file."""
    package = path.parent.parts
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *(node.module or "").split("."))).strip(".")
            # "from media import tap" names the module media.tap as much as "import media.tap" does.
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute | ast.Name)
            and (node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id)
            in ("import_module", "__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.lineno, str(node.args[0].value)


def breaches(path: Path, source: str) -> list[str]:
    """What in this file, given by its path from the root, breaks the rule."""
    part = path.parts[0]
    found = []
    for line, module in imported(path, source):
        other = module.split(".")[0]
        if other not in OURS or other == part:
            continue
        if part in PARTS or part == "consult_ui":
            allowed = False
        elif path == COMPOSITION_ROOT:
            allowed = other in PARTS or other == "consult_ui"
        elif part == "signaling":
            allowed = module.split(".")[:2] == [other, "interface"] and other in PARTS
        else:
            allowed = True  # benches and tests look at everything
        if not allowed:
            found.append(f"{path}:{line}: {part} imports {module}")
    return found


def sources() -> list[Path]:
    return sorted(
        path.relative_to(ROOT) for part in (*PARTS, "signaling", "consult_ui") for path in walk(part)
    )


def walk(folder: str) -> Iterator[Path]:
    for path in (ROOT / folder).rglob("*.py"):
        if "node_modules" not in path.parts:
            yield path


def test_parts_keep_to_themselves() -> None:
    found = [breach for path in sources() for breach in breaches(path, (ROOT / path).read_text("utf-8"))]
    assert not found, "\n".join(found)


def test_every_part_is_looked_at() -> None:
    looked_at = {path.parts[0] for path in sources()}
    assert looked_at == {*PARTS, "signaling", "consult_ui"}


def test_the_file_that_composes_is_there() -> None:
    assert (ROOT / COMPOSITION_ROOT).is_file()


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("media/tap.py", "import colorcal"),
        ("media/tap.py", "from colorcal.interface import Grade"),
        ("media/simulated/scene.py", "def f():\n    from records import store"),
        ("media/simulated/scene.py", "from ...records import store"),
        ("turn/probe.py", "import media.stun as stun"),
        ("colorcal/chart.py", "import signaling.messages"),
        ("records/store.py", "import importlib\nimportlib.import_module('media.worker')"),
        ("records/store.py", "import tests.support"),
        ("signaling/room.py", "from media.worker import Worker"),
        ("signaling/room.py", "from media import worker"),
        ("signaling/room.py", "import records"),
        ("signaling/http_join.py", "if True:\n    from turn.credentials import credentials"),
        ("signaling/compose.py", "import tests.support.coturn"),
        ("consult_ui/__init__.py", "import signaling"),
    ],
)
def test_a_breach_is_found(path: str, source: str) -> None:
    assert breaches(Path(path), source)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("media/tap.py", "from media.interface import TappedFrame\nfrom . import rtp\nimport numpy"),
        ("media/simulated/scene.py", "from ..interface import Source"),
        ("signaling/room.py", "from media.interface import Relay\nfrom records import interface"),
        ("signaling/room.py", "import turn.interface"),
        ("signaling/compose.py", "from media.worker import Worker\nimport colorcal.chart"),
        ("bench/join.py", "from media.worker import Worker"),
    ],
)
def test_what_is_allowed_is_no_breach(path: str, source: str) -> None:
    assert not breaches(Path(path), source)
