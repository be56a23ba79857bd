"""S3 servers on this host: one that refuses to write an object twice, and one that checks signatures."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import quote

from tests.support.ports import free_port

START_WITHIN_S = 60
KEY_ID, SECRET = "truehue", "secret/with+signs"


@dataclass(slots=True)
class S3Server:
    """A running server. `url` names a bucket of its own each time it is asked for."""

    kind: str
    port: int
    folder: Path
    _numbers: Iterator[int]

    def bucket(self) -> str:
        """Make an empty bucket; returns its name."""
        name = f"bucket-{next(self._numbers)}"
        if self.kind == "nanio":
            (self.folder / name).mkdir()
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            connection.request("PUT", f"/{name}")
            assert connection.getresponse().status == 200
            connection.close()
        return name

    def url(self, bucket: str | None = None, secret: str = SECRET) -> str:
        """A place for objects: a folder of this bucket, or of a new one."""
        who = f"{KEY_ID}:{quote(secret, safe='')}"
        where = bucket or self.bucket()
        return f"s3://{who}@{where}/clinic/one?endpoint=http://127.0.0.1:{self.port}&region=us-east-1"


@contextmanager
def start_s3(kind: str, folder: Path) -> Iterator[S3Server]:
    """Run `moto` (create-only, any signature) or `nanio` (signatures, no create-only) for a block."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    program = shutil.which(
        "moto_server" if kind == "moto" else "nanio", path=str(Path(sys.executable).parent)
    )
    assert program is not None
    arguments = (
        ["-H", "127.0.0.1", "-p", str(port)]
        if kind == "moto"
        else ["serve", "--data-dir", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    )
    variables = os.environ | {"NANIO_ACCESS_KEY": KEY_ID, "NANIO_SECRET_KEY": SECRET}
    with (folder.parent / f"{kind}.log").open("wb") as log:
        process = subprocess.Popen(
            [program, *arguments], env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            _until_it_listens(process, port)
            yield S3Server(kind, port, folder, count(1))
        finally:
            process.terminate()
            process.wait(10)


def _until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the S3 server ended by itself")
        with socket.socket() as probing:
            if probing.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the S3 server does not listen")
