"""colour-checker-detection as a peer: it needs OpenCV 4, so it runs in an environment of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.color_peers import Measure, Outcome, Picture
from bench.harness import PeerDidNotRun
from colorcal.color_math import Floats

PINS: Final = (
    "colour-checker-detection==0.2.3",
    "colour-science==0.4.7",
    "numpy==2.4.6",
    "opencv-python-headless==4.14.0.94",
    "scipy==1.17.1",
    "typing-extensions==4.16.0",
)
"""Without what it says it depends on: the other OpenCV, with windows, and files of film."""
_INSTALL_S: Final = 300
_WORKER: Final = Path(__file__).with_name("color_ccd_worker.py")


class ColourCheckerDetection:
    """Its segmentation finds, colour's own default (Cheung 2004) corrects, as its documentation shows."""

    finds = True
    every = 3
    """It takes about a second a picture."""

    def __init__(self) -> None:
        """Start it, after installing it once. Raises PeerDidNotRun where that cannot be done."""
        python = environment()
        try:
            self._process = subprocess.Popen(
                [python, _WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            if self._read() != b"\n":
                raise PeerDidNotRun("colour-checker-detection did not start")
        except OSError as error:
            raise PeerDidNotRun(f"colour-checker-detection did not start: {error}") from None

    def find(self, picture: Picture) -> Floats | None:
        """See Peer."""
        return self._ask(picture, np.empty((0, 3))).centers

    def correct(self, picture: Picture, measure: Measure) -> Outcome:
        """See Peer."""
        return self._ask(picture, measure(picture))

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _ask(self, picture: Picture, skin: Floats) -> Outcome:
        height, width = picture.shape[:2]
        request = json.dumps({"height": height, "width": width, "skin": skin.tolist()})
        sink: Any = self._process.stdin
        sink.write(request.encode() + b"\n" + np.ascontiguousarray(picture).tobytes())
        sink.flush()
        answer = self._read()
        if not answer:
            raise PeerDidNotRun("colour-checker-detection ended")
        given = json.loads(answer)
        centers = None if given["centers"] is None else np.array(given["centers"], np.float64)
        return Outcome(centers, np.array(given["skin"], np.float64).reshape(-1, 3))

    def _read(self) -> bytes:
        source: Any = self._process.stdout
        line: bytes = source.readline()
        return line


def environment() -> Path:
    """The interpreter of the environment, made when it is first wanted; raises PeerDidNotRun."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "truehue" / "bench"
    name = hashlib.sha256("\n".join((sys.version, *PINS)).encode()).hexdigest()[:16]
    folder = cache / f"ccd-{name}"
    python = folder / "bin" / "python"
    done = folder / "installed"
    if done.exists():
        return python
    print(f"installing {PINS[0]} with OpenCV 4 into {folder}, once", file=sys.stderr, flush=True)
    try:
        venv.create(folder, clear=True, with_pip=True)
        options = ("--quiet", "--disable-pip-version-check", "--no-deps")
        install = [str(python), "-m", "pip", "install", *options, *PINS]
        subprocess.run(install, check=True, capture_output=True, timeout=_INSTALL_S)
    except subprocess.CalledProcessError as error:
        last = (error.stderr or b"").decode(errors="replace").strip().splitlines()[-1:]
        reason = last[0] if last else f"pip ended with {error.returncode}"
        raise PeerDidNotRun(f"colour-checker-detection could not be installed: {reason}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerDidNotRun(f"colour-checker-detection could not be installed: {error}") from None
    done.touch()
    return python
