"""What a program holds is found behind attributes, slots, containers and bound methods."""

from __future__ import annotations

from collections import deque

from bench.relays.held import held


class Inner:
    __slots__ = ("queue",)

    def __init__(self) -> None:
        self.queue = deque([1, 2, 3])

    def take(self) -> int:
        return self.queue.popleft()


class Outer:
    def __init__(self) -> None:
        self.by_name = {"a": Inner(), "b": Inner()}
        self.take = Inner().take
        self.itself = self


def test_everything_that_can_be_reached_is_counted_once() -> None:
    package = Outer.__module__.partition(".")[0]
    assert held(Outer(), package) == {"Outer.by_name": 2, "Inner.queue": 9}


def test_other_packages_are_not_looked_into() -> None:
    assert held(Outer(), "another") == {}
