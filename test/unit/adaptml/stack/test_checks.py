import socket
from pathlib import Path

import pytest

from adaptml.stack.checks import check_map_count, is_free, size_gb, user_finding
from adaptml.stack.compose import StackError


def test_ports_and_kernel_settings(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free("127.0.0.1", port)
        assert not is_free("0.0.0.0", port)
    assert is_free("127.0.0.1", port)
    count = tmp_path / "count"
    count.write_text("65530\n")
    found = check_map_count(count)
    assert (found.ok, found.found, found.expected) == (False, "65530", "262144 or more")
    count.write_text("262144\n")
    assert check_map_count(count).ok
    assert check_map_count(tmp_path / "none").ok


@pytest.mark.parametrize(("text", "gb"), [("1g", 1.0), ("512m", 0.512), ("2GB", 2.0), ("1000k", 0.001)])
def test_sizes(text: str, gb: float) -> None:
    assert size_gb(text) == pytest.approx(gb)


def test_a_size_that_is_none() -> None:
    with pytest.raises(StackError, match="'much' is no size; expected such as 512m or 2g"):
        size_gb("much")


@pytest.mark.parametrize(
    ("security", "owner", "ok"),
    [
        ("[name=seccomp,profile=builtin name=cgroupns]", (1000, 1000), True),
        ("[name=seccomp,profile=builtin name=rootless name=cgroupns]", (1000, 1000), False),
        ("[name=rootless]", (0, 0), True),
    ],
)
def test_in_a_rootless_engine_containers_run_as_its_root_who_is_the_caller(
    security: str, owner: tuple[int, int], ok: bool
) -> None:
    found = user_finding(security, owner)
    assert found.ok is ok
    assert "APP_UID=0 and APP_GID=0 in .env.dev" in found.fix
