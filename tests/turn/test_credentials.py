"""TURN credentials: the scheme that coturn checks."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turn.credentials import credentials

URLS = ("turn:turn.example:3478?transport=udp",)


def test_credential_is_hmac_sha1_of_expiry_and_user() -> None:
    made = credentials("north-wind-and-sun", "p_1", 1_700_000_000, 3600, URLS)
    assert made.urls == URLS
    assert made.username == "1700003600:p_1"
    assert made.expires_at_unix_s == 1_700_003_600
    # Computed once with `openssl dgst -sha1 -hmac`, apart from this code.
    assert made.credential == "L70Lu3OEBMPG9PMNQjwd/WjSrYw="


@given(
    st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1).filter(
        lambda text: ":" not in text
    ),
    st.integers(0, 2**32),
    st.integers(1, 86400),
)
def test_any_user_and_life(user_id: str, now_unix_s: int, ttl_s: int) -> None:
    made = credentials("secret", user_id, now_unix_s, ttl_s, URLS)
    expiry, _, user = made.username.partition(":")
    assert (int(expiry), user) == (now_unix_s + ttl_s, user_id)
    mac = hmac.new(b"secret", made.username.encode(), hashlib.sha1).digest()
    assert base64.b64decode(made.credential) == mac


@pytest.mark.parametrize(
    ("secret", "user_id", "ttl_s"),
    [("", "p", 60), ("s", "", 60), ("s", "a:b", 60), ("s", "a\nb", 60), ("s", "p", 0), ("s", "p", -5)],
)
def test_refuses_what_would_be_unsafe(secret: str, user_id: str, ttl_s: int) -> None:
    with pytest.raises(ValueError, match="TURN"):
        credentials(secret, user_id, 0, ttl_s, URLS)
