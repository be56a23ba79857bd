"""A private PostgreSQL for tests: its own cluster in a folder of its own, on a port of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from tests.support.ports import free_port

BINARIES = Path("/usr/lib/postgresql/15/bin")


class PostgresMissing(RuntimeError):
    """The tests' database server is not installed."""


class PrivatePostgres:
    """A cluster that lives as long as its `with` block.

    The server refuses to run as root, so root hands it to the user `postgres`; the folder lies directly under
    the system's temporary folder because that user may not look into root's.
    """

    def __init__(self, *, fsync: bool = False) -> None:
        """fsync: commits are forced to disk, as tests need not but benches must."""
        self._fsync = "on" if fsync else "off"
        self.port = 0
        self._folder = Path()

    def __enter__(self) -> PrivatePostgres:
        if not (BINARIES / "initdb").exists():
            raise PostgresMissing(
                f"PostgreSQL 15 is not at {BINARIES}: install it, on Debian 12 with "
                "'apt-get install -y --no-install-recommends postgresql-15'"
            )
        self._folder = Path(tempfile.mkdtemp(prefix="truehue-pg-"))
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        cluster = str(self._folder / "cluster")
        self._run(
            "initdb", "-D", cluster, "-U", "app", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"
        )
        self.port = free_port()
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self._folder} -c fsync={self._fsync}"
        self._run("pg_ctl", "-D", cluster, "-o", options, "-l", str(self._folder / "log"), "-w", "start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "cluster"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder)

    def create(self, database: str, template: str = "template0") -> None:
        """Make a database, empty or as a copy."""
        self._run("createdb", *self._address(), "-T", template, database)

    def drop(self, database: str) -> None:
        """Remove a database."""
        self._run("dropdb", *self._address(), database)

    def _address(self) -> list[str]:
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", "app"]

    def url(self, database: str, driver: str = "postgresql+asyncpg") -> str:
        """Address of a database of this cluster."""
        return f"{driver}://app@127.0.0.1:{self.port}/{database}"

    def _run(self, program: str, *arguments: str) -> None:
        as_user = (
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
        )
        done = subprocess.run(
            [*as_user, str(BINARIES / program), *arguments],
            cwd="/",
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            # The server inherits what pg_ctl got: a pipe would stay open as long as it runs.
            stdout=subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE,
            stderr=subprocess.DEVNULL if program == "pg_ctl" else subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stdout or 'see its log'}")
