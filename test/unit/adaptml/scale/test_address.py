"""Addresses of schedulers: encrypted, or of this machine."""

import pytest

from adaptml.errors import ScaleError
from adaptml.scale.address import checked_address


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("tls://10.0.0.5:8786", "tls://10.0.0.5:8786"),
        ("tls://dask-scheduler", "tls://dask-scheduler:8786"),
        ("tls://[fe80::1]:99", "tls://[fe80::1]:99"),
        ("tcp://127.0.0.1:0", "tcp://127.0.0.1:0"),
        ("tcp://localhost", "tcp://localhost:8786"),
        ("tcp://[::1]:7", "tcp://[::1]:7"),
    ],
)
def test_what_is_taken(given: str, address: str) -> None:
    assert checked_address(given) == address


@pytest.mark.parametrize(
    "given", ["tcp://10.0.0.5:8786", "tcp://0.0.0.0:8786", "tcp://localhost.evil.example:1"]
)
def test_only_this_machine_is_reached_without_encryption(given: str) -> None:
    with pytest.raises(ScaleError, match="neither encrypted nor on this machine") as raised:
        checked_address(given)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "given",
    ["", "10.0.0.5:8786", "http://127.0.0.1", "tls://", "tls://a:b", "tls://a/x", "tls://u@a", "ws://a:1"],
)
def test_what_is_no_address(given: str) -> None:
    with pytest.raises(ScaleError, match=r"no address of a scheduler: .*expected tls://host:port"):
        checked_address(given)
