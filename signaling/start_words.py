"""What a start prints for the person at the terminal: the links, what to do with them, how to stop. Pure."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import segno

from signaling.own_certificate import OwnCertificate

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Links:
    """The one-time sign-in links of the first specialist and the first referrer."""

    specialist: str
    referrer: str


def start_words(links: Links, base: str, certificate: OwnCertificate | None, *, demo: bool) -> str:
    """Lines for a terminal. base: the address that is served. certificate: the server's own, if it made one.

    A link that a phone can open is also drawn as a QR code; one to this very machine is not.
    """
    return "\n".join(_lines(links, base, certificate, demo=demo))


def _lines(links: Links, base: str, certificate: OwnCertificate | None, *, demo: bool) -> Iterator[str]:
    for_phones = urlsplit(base).hostname not in _LOOPBACK
    yield from ("", f"TrueHue serves at {base}", "")
    yield from _link("Specialist", links.specialist, for_phones=for_phones)
    yield from _link("Referring practice", links.referrer, for_phones=for_phones)
    yield "Each link signs in once, within a day; every start prints new ones. A browser is signed in as one"
    yield "person at a time: for both, open the second link in a private window or another browser."
    yield ""
    if demo:
        yield "To try it: open the specialist's link. A simulated patient arrives: choose them in the"
        yield "worklist, then press A to admit them. The chart in their picture calibrates the color by"
        yield "itself: drag the wipe, or press W and the arrow keys. C takes a photo, ? shows every key."
    else:
        yield "To begin: write a referral as the referring practice, accept it as the specialist, and give"
        yield "the patient the link that the specialist's page makes."
    yield ""
    if certificate is not None:
        yield "Browsers warn about the certificate, which this server made for itself. Either go on past the"
        yield f"warning, or install {certificate.authority}"
        yield "on the phone as a certificate authority; it can vouch for this machine's addresses"
        yield "only, and its SHA-256 fingerprint is"
        yield from (f"  {certificate.fingerprint}", "")
    elif not for_phones:
        yield from ("For a real phone on the same network, start with --lan.", "")
    yield "Stop with Ctrl+C."


def _link(who: str, link: str, *, for_phones: bool) -> Iterator[str]:
    yield from (f"{who}:", f"  {link}", "")
    if for_phones:
        drawn = io.StringIO()
        segno.make(link, error="l").terminal(drawn, border=2, compact=True)
        yield drawn.getvalue()
