"""Property tests here run the same examples each time, without a deadline: machines may be busy."""

from __future__ import annotations

import hypothesis

hypothesis.settings.register_profile("congestion", derandomize=True, deadline=None)
hypothesis.settings.load_profile("congestion")
