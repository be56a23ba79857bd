"""How much a program holds: lengths of all tables and queues that can be reached from one object."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from typing import Any

_CONTAINERS = (dict, list, set, deque)


def held(root: object, package: str) -> dict[str, int]:
    """ "Class.attribute" -> entries of all such containers together, for every object of the package's
    classes that can be reached from root by attributes and containers. Bytes and tuples are no tables."""
    found: Counter[str] = Counter()
    seen: set[int] = set()
    waiting: list[object] = [root]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, (list, set, deque, tuple)):
            waiting += each
        elif callable(each) and getattr(each, "__self__", None) is not None:
            waiting.append(each.__self__)  # type: ignore[attr-defined]
        elif type(each).__module__.partition(".")[0] == package:
            for name, value in _attributes(each):
                if isinstance(value, _CONTAINERS):
                    found[f"{type(each).__name__}.{name}"] += len(value)
                waiting.append(value)
    return dict(found)


def _attributes(each: object) -> Iterator[tuple[str, Any]]:
    own: Mapping[str, Any] = getattr(each, "__dict__", {})
    yield from own.items()
    for kind in type(each).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in own and hasattr(each, name):
                yield name, getattr(each, name)
