"""coturn's configuration: what it says, and what it refuses to say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turn.coturn_config import CoturnConfig, CoturnConfigError, render

BASE = CoturnConfig(secret="0123456789abcdef", realm="clinic.example")


def settings(config: CoturnConfig) -> list[tuple[str, str]]:
    lines = [line for line in render(config).splitlines() if line and not line.startswith("#")]
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def test_defaults_are_closed() -> None:
    lines = settings(BASE)
    names = [name for name, _ in lines]
    assert {"use-auth-secret", "fingerprint", "no-cli", "no-multicast-peers", "no-tcp-relay", "no-tls"} <= {
        *names
    }
    assert dict(lines)["static-auth-secret"] == BASE.secret
    assert int(dict(lines)["user-quota"]) > 0
    assert int(dict(lines)["total-quota"]) > 0
    assert "allowed-peer-ip" not in names
    assert "allow-loopback-peers" not in names
    denied = [value for name, value in lines if name == "denied-peer-ip"]
    assert {"10.0.0.0-10.255.255.255", "127.0.0.0-127.255.255.255", "169.254.0.0-169.254.255.255"} <= {
        *denied
    }
    assert "::ffff:0:0-::ffff:ffff:ffff" in denied


def test_allowed_peers_close_everything_else() -> None:
    lines = settings(replace(BASE, allowed_peers=("10.1.2.3", "fd00::3")))
    assert ("allowed-peer-ip", "10.1.2.3") in lines
    assert ("allowed-peer-ip", "fd00::3") in lines
    assert ("denied-peer-ip", "0.0.0.0-255.255.255.255") in lines


def test_tls_is_optional() -> None:
    lines = settings(replace(BASE, tls_cert="/certs/turn.pem", tls_key="/certs/turn.key", tls_port=443))
    assert ("tls-listening-port", "443") in lines
    assert ("pkey", "/certs/turn.key") in lines
    assert ("no-tls", "") not in lines


def test_addresses_and_ports() -> None:
    lines = settings(
        replace(
            BASE,
            listening_ips=("10.0.0.5", "fd00::5"),
            relay_ips=("10.0.0.5",),
            external_ips=("198.51.100.7/10.0.0.5",),
            min_port=50000,
            max_port=50099,
        )
    )
    assert [value for name, value in lines if name == "listening-ip"] == ["10.0.0.5", "fd00::5"]
    assert ("external-ip", "198.51.100.7/10.0.0.5") in lines
    assert ("min-port", "50000") in lines


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"secret": ""}, "secret"),
        ({"secret": "short"}, "secret"),
        ({"secret": "0123456789abcdef\ncli"}, "secret"),
        ({"realm": ""}, "realm"),
        ({"realm": "a b"}, "realm"),
        ({"listening_ips": ("localhost",)}, "listening_ips"),
        ({"allowed_peers": ("10.0.0.0/8",)}, "allowed_peers"),
        ({"external_ips": ("198.51.100.7/",)}, "external_ips"),
        ({"external_ips": ("198.51.100.7/x",)}, "external_ips"),
        ({"tls_cert": "/certs/a.pem"}, "tls_cert"),
        ({"tls_cert": "/c\nallow-loopback-peers", "tls_key": "/k"}, "tls_cert"),
        ({"port": 0}, "port"),
        ({"min_port": 50000, "max_port": 49999}, "min_port"),
        ({"user_quota": 0}, "user_quota"),
    ],
)
def test_refuses_bad_values(changes: dict[str, object], field: str) -> None:
    with pytest.raises(CoturnConfigError) as raised:
        render(replace(BASE, **changes))  # type: ignore[arg-type]
    assert raised.value.field == field


@given(st.text(min_size=16))
def test_no_secret_can_add_a_line(secret: str) -> None:
    try:
        rendered = settings(replace(BASE, secret=secret))
    except CoturnConfigError:
        return
    assert len(rendered) == len(settings(BASE))
    assert dict(rendered)["static-auth-secret"] == secret
