"""Bits of coded video headers: plain fields, Exp-Golomb codes (ITU-T H.264, 9.1), VP8's boolean decoder
(RFC 6386, 7)."""

from __future__ import annotations


class EndOfBits(ValueError):
    """The data ended, or cannot be what it claims to be."""


class BitReader:
    """Reads unsigned numbers and variable-length codes from the front of some bytes."""

    __slots__ = ("_left", "_value")

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def unsigned(self, count: int) -> int:
        """The next count bits, most significant first. Raises EndOfBits."""
        self._left -= count
        if self._left < 0:
            raise EndOfBits
        return self._value >> self._left & ((1 << count) - 1)

    def exp_golomb(self) -> int:
        """An unsigned Exp-Golomb code, ue(v). Raises EndOfBits."""
        zeros = 0
        while not self.unsigned(1):
            zeros += 1
            if zeros > 32:
                raise EndOfBits
        return (1 << zeros) - 1 + self.unsigned(zeros)

    def signed_exp_golomb(self) -> int:
        """A signed Exp-Golomb code, se(v). Raises EndOfBits."""
        code = self.exp_golomb()
        return (code + 1) // 2 if code & 1 else -(code // 2)


class BoolReader:
    """VP8's boolean decoder for literals, whose bits are all of probability 1/2."""

    __slots__ = ("_left", "_range", "_value")

    def __init__(self, data: bytes) -> None:
        """data: the first bytes of the partition; what is behind them reads as EndOfBits."""
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data) - 8
        self._range = 255

    def literal(self, count: int) -> int:
        """The next count bits, most significant first. Raises EndOfBits."""
        value, left, range_ = self._value, self._left, self._range
        if left < count:
            raise EndOfBits
        read = 0
        for _ in range(count):
            # At probability 1/2 the range is halved, and normalising doubles it again: one bit in, one out.
            split = (range_ + 1) >> 1
            if value >= split << left:
                value -= split << left
                range_ -= split
                read = read << 1 | 1
            else:
                range_ = split
                read <<= 1
            if range_ < 128:
                range_ <<= 1
                left -= 1
        self._value, self._left, self._range = value, left, range_
        return read
