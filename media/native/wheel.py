"""Puts the packet loop into a wheel, where there is a C compiler: such a wheel is for one Python on one kind
of system. Without one it is for all, and relays in Python; `truehue doctor` tells which."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class NativeLoop(BuildHookInterface[Any]):
    """Hatchling runs it when it makes a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See BuildHookInterface. An editable project builds the loop by ./dev."""
        if version != "standard":
            return
        # By its path: the package that it is in need not be installed where a wheel is made.
        build = runpy.run_path(str(Path(self.root) / "media" / "native" / "build.py"))
        try:
            library: Path = build["build"]()
        except build["NotBuilt"] as reason:
            self.app.display_warning(f"without the packet loop: {reason}")
            return
        build_data["artifacts"].append(f"/{library.relative_to(self.root).as_posix()}")
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
