import os
from pathlib import Path

import pytest

from adaptml.stack.compose import Stack, StackError, database_place


def settings_files(folder: Path, **texts: str) -> None:
    """Write `.env` and `.env.dev`."""
    (folder / ".env").write_text(texts["env"])
    if "dev" in texts:
        (folder / ".env.dev").write_text(texts["dev"])


def test_the_environment_is_over_a_person_s_file_and_that_over_the_project_s(folder: Path) -> None:
    settings_files(folder, env="A=env\nB=env\nC=env\n", dev="B=dev\nC=dev\n")
    stack = Stack(folder, {"C": "environment"})
    assert [stack.get(name, "default") for name in "ABCD"] == ["env", "dev", "environment", "default"]


def test_what_is_set_to_nothing_is_not_set(folder: Path) -> None:
    settings_files(folder, env="A=env\nB=\nC=env\nD=\n", dev="A=\nB=dev\nE=\n")
    stack = Stack(folder, {"B": "", "C": "", "D": "", "E": "environment"})
    assert [stack.get(name, "default") for name in "ABCDE"] == ["env", "dev", "env", "default", "environment"]


def test_compose_reads_the_same_files_and_nothing_hides_what_they_say(folder: Path) -> None:
    settings_files(folder, env="A=env\n", dev="B=dev\n")
    given = Stack(folder, {"A": "", "B": "environment", "EMPTY": "", "PATH": "/bin"}).environment()
    assert given["COMPOSE_ENV_FILES"] == ".env,.env.dev"
    assert "A" not in given
    assert [given[name] for name in ("B", "EMPTY", "PATH")] == ["environment", "", "/bin"]


def test_what_pins_the_images_is_over_the_project_s_file_and_under_a_person_s(folder: Path) -> None:
    settings_files(folder, env="A_IMAGE=a:1\nB_IMAGE=b:1\n", dev="B_IMAGE=mine:1\n")
    (folder / "docker").mkdir()
    (folder / "docker" / "images.env").write_text("A_IMAGE=a:1@sha256:12\nB_IMAGE=b:1@sha256:34\n")
    stack = Stack(folder, {})
    assert stack.environment()["COMPOSE_ENV_FILES"] == ".env,docker/images.env,.env.dev"
    assert [stack.get(name, "") for name in ("A_IMAGE", "B_IMAGE")] == ["a:1@sha256:12", "mine:1"]


def test_without_a_file_of_one_s_own_the_project_s_is_enough(folder: Path) -> None:
    assert "COMPOSE_ENV_FILES" not in Stack(folder, {}).environment()
    settings_files(folder, env="A=env\n")
    assert Stack(folder, {}).environment()["COMPOSE_ENV_FILES"] == ".env"


def test_compose_s_own_variable_names_other_files(folder: Path) -> None:
    settings_files(folder, env="A=env\nB=env\n", dev="A=dev\n")
    (folder / "team.env").write_text("B=team\n")
    stack = Stack(folder, {"COMPOSE_ENV_FILES": ".env,team.env"})
    assert (stack.get("A", ""), stack.get("B", "")) == ("env", "team")
    assert stack.environment()["COMPOSE_ENV_FILES"] == ".env,team.env"
    with pytest.raises(StackError) as caught:
        Stack(folder, {"COMPOSE_ENV_FILES": ".env,nosuch.env"})
    assert [w for w in ("nosuch.env", str(folder), "COMPOSE_ENV_FILES") if w not in str(caught.value)] == []


def test_containers_run_as_the_caller_where_no_user_is_named(folder: Path) -> None:
    """A tracked file that named a user would make secrets unreadable for containers of everybody else."""
    settings_files(folder, env="APP_UID=\nAPP_GID=\n")
    caller = (os.getuid(), os.getgid()) if os.getuid() else (1000, 1000)
    stack = Stack(folder, {})
    assert stack.owner == caller
    assert (stack.environment()["APP_UID"], stack.environment()["APP_GID"]) == tuple(map(str, caller))
    (folder / ".env.dev").write_text("APP_UID=1234\nAPP_GID=1235\n")
    assert Stack(folder, {}).owner == (1234, 1235)


def test_without_a_compose_file_there_is_no_stack(tmp_path: Path) -> None:
    with pytest.raises(StackError) as caught:
        Stack(tmp_path, {})
    assert str(caught.value) == (
        f"no docker-compose.yml in {tmp_path}; expected a clone of ADaPT-ML, on the host and not in a container: "
        "run this there, or set ADAPTML_ROOT"
    )


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("crate://a:b@h", "h:4200"),
        ("crate://a:b@h:4300", "h:4300"),
        ("postgresql+psycopg://a:b@h/db", "h:5432"),
    ],
)
def test_the_place_of_a_database(url: str, place: str) -> None:
    assert database_place(url) == place


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///data.db", "STACK_DATABASE_URL sqlite:///data.db names no host; expected a database that containers "
         "can reach, such as crate://host:4200"),
        ("no address", "STACK_DATABASE_URL cannot be read as an address; expected such as "
         "crate://host:4200"),
    ],
)  # fmt: skip
def test_a_database_that_containers_cannot_reach_is_refused(url: str, message: str) -> None:
    with pytest.raises(StackError) as caught:
        database_place(url)
    assert str(caught.value) == message
