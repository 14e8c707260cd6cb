import socket
from pathlib import Path

import pytest

from adaptml.stack.checks import check_map_count, check_pins, check_tasks, is_free, size_gb, user_finding
from adaptml.stack.compose import Stack, StackError


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


def test_the_page_must_be_able_to_write_the_tasks_and_each_of_them(folder: Path) -> None:
    task = folder / "tasks" / "topic"
    task.mkdir(parents=True)
    (task / "task.yaml").write_text("")
    (folder / "tasks" / "no_task").mkdir(mode=0o700)
    stack = Stack(folder, {"APP_UID": "12345", "APP_GID": "12346"})
    for mode, refused in ((0o777, None), (0o755, task)):
        for path in (task.parent, task):
            path.chmod(0o777)
        task.chmod(mode)
        found = check_tasks(stack)
        assert (found.ok, str(task) in found.found) == (refused is None, refused is not None)
    task.parent.chmod(0o755)
    found = check_tasks(stack)
    facts = (str(task.parent), "12345:12346", f"sudo chown -R 12345:12346 {task.parent}", "portal")
    text = f"{found.what} {found.expected} {found.found} {found.fix}"
    assert [fact for fact in facts if fact not in text] == []
    assert not check_tasks(Stack(folder, {"TASKS": "./nosuch"})).ok


def test_a_pin_of_another_tag_is_noticed(folder: Path) -> None:
    (folder / ".env").write_text("CRATE_IMAGE=crate:6.4.3\nMARIADB_IMAGE=mariadb:11.8\n")
    stack = Stack(folder, {})
    assert check_pins(stack).ok
    (folder / "docker").mkdir()
    pins = folder / "docker" / "images.env"
    pins.write_text("CRATE_IMAGE=crate:6.4.3@sha256:12\nMARIADB_IMAGE=mariadb:11.8@sha256:34\n")
    assert check_pins(stack).ok
    pins.write_text("CRATE_IMAGE=crate:6.4.2@sha256:12\nMARIADB_IMAGE=mariadb:11.8@sha256:34\n")
    found = check_pins(stack)
    assert (found.ok, found.found) == (False, "crate:6.4.2@sha256:12")
    assert "docker/pin-images.sh" in found.fix
