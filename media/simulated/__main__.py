"""python -m media.simulated LINK: a simulated patient in a process of its own, until the call ends."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys

from media.simulated.camera import Illuminant
from media.simulated.patient import PatientOptions, run
from media.simulated.scene import SceneOptions
from media.simulated.skin import Tone
from media.simulated.wire import PatientError


async def _main(link: str, options: PatientOptions) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(link, options, stop)


def main() -> int:
    """Read the arguments and run; exit code 1 when the link opens nothing."""
    parser = argparse.ArgumentParser(prog="python -m media.simulated", description=__doc__)
    parser.add_argument(
        "link", help="a patient's personal link, https://host/p/#TOKEN; '-' reads it from stdin"
    )
    parser.add_argument("--tone", choices=list(Tone), default=Tone.LIGHT, type=Tone)
    parser.add_argument(
        "--illuminant", choices=list(Illuminant), default=Illuminant.TUNGSTEN, type=Illuminant
    )
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--fps", type=int, default=20)
    parser.add_argument("--language", choices=["zh", "en"], default=None)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    scene = SceneOptions(given.tone, given.illuminant, given.width, given.height, given.seed)
    link = sys.stdin.readline().strip() if given.link == "-" else given.link
    try:
        asyncio.run(_main(link, PatientOptions(scene, given.fps, language=given.language)))
    except PatientError as error:
        print(f"{error.error_id}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
