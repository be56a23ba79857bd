"""./dev: what it decides before it runs anything, and that it works from closed or odd surroundings."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def dev(tmp_path: Path) -> types.ModuleType:
    """The script as a module, in a folder of its own with the locks and an interface to build."""
    for path in ("dev", "pyproject.toml", *(lock.name for lock in ROOT.glob("requirements*.lock"))):
        shutil.copy(ROOT / path, tmp_path / path)
    (tmp_path / "consult_ui" / "src").mkdir(parents=True)
    for name in ("package.json", "package-lock.json", "src/app.ts"):
        (tmp_path / "consult_ui" / name).write_text("{}", encoding="utf-8")
    loader = importlib.machinery.SourceFileLoader("dev_under_test", str(tmp_path / "dev"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def start(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "dev", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


def test_help_names_every_command() -> None:
    done = start("--help")
    assert done.returncode == 0
    for command in ("run", "test", "check", "bench", "soak", "fuzz", "lock"):
        assert f"./dev {command}" in done.stdout


@pytest.mark.parametrize("words", [(), ("tset",), ("--version",)])
def test_unknown_command_exits_with_two(words: tuple[str, ...]) -> None:
    done = start(*words)
    assert done.returncode == 2
    assert "./dev run" in done.stderr
    assert done.stdout == ""


def test_wrong_use_is_a_sentence_and_no_trace() -> None:
    for words in (("check", "now"), ("bench",), ("bench", "no_such_bench"), ("fuzz", "long")):
        done = start(*words)
        assert done.returncode == 1
        assert done.stderr.startswith("dev: error: ")
        assert "Traceback" not in done.stderr


@pytest.mark.skipif(not (shutil.which("clang") or shutil.which("cc")), reason="there is no C compiler")
def test_the_fuzzer_notices_a_length_check_that_is_left_out(
    dev: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = sorted((ROOT / "media" / "native").glob("*.c"))
    numbers = re.findall(r"\bFITS\((\d+),", "".join(path.read_text(encoding="utf-8") for path in sources))
    assert tuple(sorted(map(int, numbers))) == dev.LENGTH_CHECKS
    done = start("fuzz", "--self-test")
    assert done.returncode == 0, done.stderr
    monkeypatch.setattr(dev, "LENGTH_CHECKS", (0,))
    monkeypatch.setattr(dev, "fuzz_target", lambda *_: ["true"])
    monkeypatch.setattr(dev, "race_target", lambda *_: ["true"])
    assert dev.fuzz_without_checks() == 1


def test_works_with_an_old_locale_and_closed_streams() -> None:
    surroundings = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    script = f"exec {sys.executable} dev bench <&- 2>&1"
    done = subprocess.run(["sh", "-c", script], cwd=ROOT, env=surroundings, capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith(b"dev: error: say which benchmark: ")


def test_is_executable_and_needs_only_the_standard_library() -> None:
    assert (ROOT / "dev").stat().st_mode & stat.S_IXUSR
    done = subprocess.run(
        [sys.executable, "-I", "-S", "dev", "help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_digest_changes_with_content_and_name(dev: types.ModuleType) -> None:
    before = dev.digest(dev.ui_sources())
    assert before == dev.digest(dev.ui_sources())
    (dev.UI / "src" / "app.ts").write_text("{ }", encoding="utf-8")
    changed = dev.digest(dev.ui_sources())
    (dev.UI / "src" / "app.ts").rename(dev.UI / "src" / "main.ts")
    renamed = dev.digest(dev.ui_sources())
    assert len({before, changed, renamed}) == 3


def test_what_is_built_or_installed_is_no_source(dev: types.ModuleType) -> None:
    before = dev.digest(dev.ui_sources())
    for folder in ("node_modules/preact", "dist/assets", "__pycache__"):
        (dev.UI / folder).mkdir(parents=True)
        (dev.UI / folder / "file.js").write_text("x", encoding="utf-8")
    (dev.UI / "__init__.py").write_text("", encoding="utf-8")
    assert dev.digest(dev.ui_sources()) == before


def test_stamps_are_kept(dev: types.ModuleType) -> None:
    assert dev.stamped("ui") == ""
    dev.stamp("ui", "abc")
    assert dev.stamped("ui") == "abc"


def test_versions_are_read(dev: types.ModuleType, tmp_path: Path) -> None:
    def program(prints: str) -> str:
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\n{prints}\n", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    assert dev.version_of(program("echo v20.19.5")) == (20, 19, 5)
    assert dev.version_of(program("echo 11.6.2")) >= dev.NPM_AT_LEAST
    assert dev.version_of(program("echo nonsense")) == ()
    assert dev.version_of(program("exit 3")) == ()
    assert dev.version_of(str(tmp_path / "missing")) == ()


def test_a_step_that_fails_says_what_failed(dev: types.ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(dev.Failure, match=r"ended with 3\. Look there"):
        dev.must_run(["sh", "-c", "echo the reason; exit 3"], "Look there.")
    assert "the reason" in capfd.readouterr().err
    with pytest.raises(dev.Failure, match="cannot start"):
        dev.run(["/no/such/program"])


def test_every_check_runs_and_failures_are_named(
    dev: types.ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    failed = dev.check("First", ["false"]) + dev.check("Second", ["true"]) + dev.check("Third", ["false"])
    assert failed == ["First", "Third"]
    assert dev.conclude(failed) == 1
    assert dev.conclude([]) == 0
    assert "FAILED: First, Third." in capfd.readouterr().err


def test_a_missing_package_is_named(dev: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "is_root", lambda: False)
    monkeypatch.setattr(dev.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    with pytest.raises(dev.Failure, match="sudo apt-get install coturn chromium"):
        dev.apt_install(["coturn", "chromium"])
    monkeypatch.setattr(dev.shutil, "which", lambda name: None)
    with pytest.raises(dev.Failure, match="what Debian calls coturn"):
        dev.apt_install(["coturn"])


def test_an_unsupported_python_is_named(dev: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "PYTHONS", ((2, 6), (2, 7)))
    monkeypatch.setattr(dev.shutil, "which", lambda name: None)
    with pytest.raises(dev.Failure, match=r"no python3\.11, python3\.12 or python3\.13"):
        dev.use_supported_python()


def test_another_python_takes_over(
    dev: types.ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "python3.99"
    other.write_text("#!/bin/sh\necho Python 3.99.1\n", encoding="utf-8")
    other.chmod(0o755)
    taken: list[str] = []
    monkeypatch.setattr(dev, "PYTHONS", ((3, 99),))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    def become(path: str, words: list[str]) -> None:
        taken.extend(words)
        raise SystemExit(0)

    monkeypatch.setattr(dev.os, "execv", become)
    with pytest.raises(SystemExit):
        dev.use_supported_python()
    assert taken[:2] == [str(other), str(tmp_path / "dev")]


def test_an_interrupt_waits_for_the_program(dev: types.ModuleType, tmp_path: Path) -> None:
    """The program gets the terminal's interrupt itself, ends in its own time, and then ./dev says 130."""
    program = (
        "import os, signal, sys\n"
        "def end(*_):\n"
        "    print('ended by itself', flush=True)\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGINT, end)\n"
        "os.killpg(0, signal.SIGINT)\n"
        "signal.pause()\n"
    )
    caller = (
        "import importlib.machinery, sys\n"
        f"dev = importlib.machinery.SourceFileLoader('dev', {str(tmp_path / 'dev')!r}).load_module()\n"
        "def command(arguments):\n"
        f"    return dev.run([sys.executable, '-c', {program!r}])\n"
        "dev.COMMANDS['check'] = command\n"
        "sys.exit(dev.main(['check']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", caller],
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert done.stdout == "ended by itself\n"
    assert done.returncode == 128 + signal.SIGINT
    assert done.stderr == "dev: interrupted\n"
