"""What a start prints: every link, what to do next, and a QR code only where a phone can follow it."""

from __future__ import annotations

from pathlib import Path

import pytest

from signaling.own_certificate import OwnCertificate
from signaling.start_words import Links, start_words

QR_BLOCK = "▀"


def links(base: str) -> Links:
    return Links(f"{base}/s/#sign-in=one", f"{base}/r/#sign-in=two")


@pytest.mark.parametrize("base", ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"])
def test_on_this_machine_there_are_links_without_codes(base: str) -> None:
    words = start_words(links(base), base, None, demo=False)
    assert f"{base}/s/#sign-in=one" in words
    assert f"{base}/r/#sign-in=two" in words
    assert QR_BLOCK not in words
    assert "--lan" in words
    assert "simulated" not in words
    assert words.endswith("Stop with Ctrl+C.")


def test_the_demo_says_what_to_do() -> None:
    base = "http://localhost:8080"
    words = start_words(links(base), base, None, demo=True)
    assert "A simulated patient" in words
    assert "press A" in words


def test_for_phones_there_are_codes_and_the_certificate() -> None:
    base = "https://192.0.2.7:8080"
    certificate = OwnCertificate(Path("c.pem"), Path("k.pem"), Path("authority.pem"), "AB:CD")
    words = start_words(links(base), base, certificate, demo=False)
    assert words.count(QR_BLOCK) > 2
    assert "authority.pem" in words
    assert "AB:CD" in words
    assert "--lan" not in words
    assert max(len(line) for line in words.splitlines() if QR_BLOCK not in line) <= 110
