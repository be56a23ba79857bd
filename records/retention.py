"""Until when an entry is kept; pure."""

from __future__ import annotations

from datetime import datetime

from records.clinical import RetentionClass
from records.safekeeping import RetentionPolicy


def kept_until(changed_at: datetime, retention: RetentionClass, policy: RetentionPolicy) -> datetime:
    """The moment from which a deleted entry may be removed: so many years after its last change, to the day.

    What was changed on 29 February is kept until 1 March where there is no such day.
    """
    year = changed_at.year + policy.years(retention)
    try:
        return changed_at.replace(year=year)
    except ValueError:
        return changed_at.replace(year=year, month=3, day=1)
