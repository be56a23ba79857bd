"""The way into the `truehue` command: from here on Ctrl+C ends it quietly, also while it imports."""

from __future__ import annotations

import os
import signal

INTERRUPTED = 128 + signal.SIGINT
"""Exit code of a program that was ended by Ctrl+C."""


def leave_on_interrupt() -> None:
    """Let Ctrl+C end the process at once: right as long as nothing runs that needs to be stopped in order."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))


def main() -> None:
    """Entry point. Nothing slow may be imported before the first line."""
    leave_on_interrupt()
    from signaling.commands import app

    app()


if __name__ == "__main__":
    main()
