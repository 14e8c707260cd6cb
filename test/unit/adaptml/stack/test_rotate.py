"""Rotation of the stack's secrets, with a program in Docker's place that notes what it is asked; test/stack has the real one."""

import json
import os
import re
import stat
from pathlib import Path

import pytest

from adaptml.stack.compose import Stack, StackError
from adaptml.stack.rotate import NEXT, TOLD, rotate
from adaptml.stack.secrets import PASSWORDS, make_secrets

USERS = {
    "crate-db": ["database_password"],
    "dp-mlflow-db": ["dp_mlflow_db_password"],
    "dp-mlflow-server": ["dp_mlflow_db_password"],
    "dp-mlflow": ["database_settings", "worker_labelling_token"],
    "modelling-mlflow-deploy": ["database_settings", "api_key"],
    "label-studio-web": ["label_studio_password", "label_studio_token", "label_studio_key"],
}
DOCKER = """#!/bin/bash
here={here}
printf '%s\\n' "$*" >>$here/words
case "$*" in
  *" ps "*) cat $here/running ;;
  *" config "*) cat $here/config ;;
  *" exec "*) cat >>$here/told; echo >>$here/told; [ ! -e $here/refuses ] ;;
  *" up "*) [ ! -e $here/fails ] ;;
esac
"""


@pytest.fixture
def stack(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack that runs but for one service, as Docker would have it."""
    program = folder / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER.format(here=folder))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    services = {name: {"secrets": [{"source": s} for s in used]} for name, used in USERS.items()}
    (folder / "config").write_text(json.dumps({"services": services}))
    states = {name: "exited" if name == "label-studio-web" else "running" for name in USERS}
    (folder / "running").write_text(
        "".join(json.dumps({"Service": name, "State": state}) + "\n" for name, state in states.items())
    )
    made = Stack(folder, os.environ)
    make_secrets(made)
    return made


def values(stack: Stack) -> dict[str, str]:
    return {name: (stack.secrets / name).read_text() for name in (*PASSWORDS, "database_settings")}


def words(stack: Stack) -> list[str]:
    return (stack.root / "words").read_text().splitlines()


def test_what_is_named_gets_a_new_value_its_server_is_told_and_its_users_start_anew(stack: Stack) -> None:
    before = values(stack)
    changed, services = rotate(stack, ["dp_mlflow_db_password", "database_password"])
    after = values(stack)
    assert changed == ["database_password", "dp_mlflow_db_password"]
    assert {name for name in before if before[name] != after[name]} == {*changed, "database_settings"}
    assert after["database_password"] in after["database_settings"]
    assert re.fullmatch("[0-9a-f]{40}", after["dp_mlflow_db_password"])
    assert services == [
        "crate-db",
        "dp-mlflow",
        "dp-mlflow-db",
        "dp-mlflow-server",
        "modelling-mlflow-deploy",
    ]
    assert (stack.root / "told").read_text() == f"{after['dp_mlflow_db_password']}\n"
    last = words(stack)[-1]
    assert "up --detach --force-recreate" in last
    assert last.endswith(" ".join(services))
    assert not [
        value for value in (*before.values(), *after.values()) if value.strip() in "\n".join(words(stack))
    ]
    files = [path for path in stack.secrets.iterdir() if path.name != ".gitignore"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert not [path for path in files if path.name.endswith(NEXT)]


@pytest.mark.parametrize("broken", ["refuses", "fails"])
def test_a_rotation_that_was_cut_off_goes_on_with_the_same_values(stack: Stack, broken: str) -> None:
    """The server refuses the new password, or a container does not become healthy after it took it."""
    (stack.root / broken).touch()
    before = values(stack)
    with pytest.raises(StackError) as caught:
        rotate(stack, ["dp_mlflow_db_password"])
    assert broken == "fails" or "adaptml secrets rotate dp_mlflow_db_password" in str(caught.value)
    begun = (stack.secrets / f"dp_mlflow_db_password{NEXT}").read_text()
    assert values(stack)["dp_mlflow_db_password"] == (
        begun if broken == "fails" else before["dp_mlflow_db_password"]
    )
    assert begun not in str(caught.value)
    (stack.root / broken).unlink()
    changed, _ = rotate(stack, ["api_key"])  # whatever is named: that one is not left half done
    assert changed == ["api_key", "dp_mlflow_db_password"]
    assert values(stack)["dp_mlflow_db_password"] == begun
    assert {*(stack.root / "told").read_text().split()} == {begun}


def test_what_cannot_be_rotated_now_is_said_and_nothing_is_changed(stack: Stack) -> None:
    with pytest.raises(
        StackError, match=r"not running: .*label-studio-web for label_studio_password.*adaptml up"
    ):
        rotate(stack)
    with pytest.raises(StackError, match=r"no secret api-key; expected api_key, "):
        rotate(stack, ["api-key"])
    (stack.secrets / "api_key").unlink()
    with pytest.raises(StackError, match=r"no file api_key .*adaptml up"):
        rotate(stack, ["api_key"])
    assert [name for name in PASSWORDS if (stack.secrets / f"{name}{NEXT}").exists()] == []


def test_each_service_that_is_told_is_one_of_the_compose_file() -> None:
    text = (Path(__file__).resolve().parents[4] / "docker-compose.yml").read_text()
    assert [service for service, _ in TOLD.values() if f"\n  {service}:\n" not in text] == []
    assert set(TOLD) < set(PASSWORDS)
