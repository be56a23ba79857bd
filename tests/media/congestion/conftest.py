"""Examples of property tests: the same in every run, and without a deadline, since the machine may be busy."""

from __future__ import annotations

import hypothesis

hypothesis.settings.register_profile("congestion", derandomize=True, deadline=None)
hypothesis.settings.load_profile("congestion")
