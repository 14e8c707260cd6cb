from pathlib import Path

import pytest

from adaptml import Project
from adaptml.errors import SettingsError
from adaptml.stack.compose import Stack, StackError
from adaptml.stack.host import chosen_stack, refuse_in_container
from adaptml.stack.secrets import make_secrets


@pytest.fixture
def set_up(folder: Path) -> Path:
    """A folder where a stack was started once."""
    make_secrets(Stack(folder, {}))
    return folder


def own_data(folder: Path) -> Path:
    """What embedded steps leave."""
    path = folder / "workspace" / "data.db"
    path.parent.mkdir()
    path.write_text("a table")
    return path


def test_unasked_it_is_the_stack_where_one_was_set_up(set_up: Path) -> None:
    found = chosen_stack(Project(set_up), None, {})
    assert found is not None
    assert found.root == set_up


def test_unasked_it_is_embedded_where_no_stack_was_set_up(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    own_data(folder)
    assert chosen_stack(Project(folder), None, {}) is None
    assert chosen_stack(Project(tmp_path_factory.mktemp("no_clone")), None, {}) is None


def test_what_looked_at_an_absent_database_left_no_data(set_up: Path) -> None:
    own_data(set_up).write_text("")
    assert chosen_stack(Project(set_up), None, {}) is not None


def test_where_both_are_here_one_has_to_be_named(set_up: Path) -> None:
    database = own_data(set_up)
    with pytest.raises(StackError) as caught:
        chosen_stack(Project(set_up), None, {})
    facts = (str(set_up), str(database), "--stack or --no-stack")
    assert [fact for fact in facts if fact not in str(caught.value)] == []
    assert chosen_stack(Project(set_up), True, {}) is not None
    assert chosen_stack(Project(set_up), False, {}) is None


def test_a_database_of_one_s_own_is_a_sign_of_steps_outside_of_the_stack(set_up: Path) -> None:
    with pytest.raises(StackError, match=r"there is ADAPTML_DATABASE_URL.*--stack or --no-stack"):
        chosen_stack(Project(set_up, database_url="sqlite:///elsewhere.db"), None, {})


def test_other_secrets_are_another_stack(set_up: Path) -> None:
    assert chosen_stack(Project(set_up), None, {"SECRETS": "others"}) is None


def test_tasks_that_are_not_those_of_the_containers_are_refused(set_up: Path) -> None:
    """`--keep` would write into a file that no container reads."""
    for asked in (None, True):
        with pytest.raises(StackError) as caught:
            chosen_stack(Project(set_up), asked, {"TASKS": "mine"})
        facts = (f"{set_up}/mine (TASKS)", f"{set_up}/tasks (ADAPTML_TASKS_DIR)", ".env.dev")
        assert [fact for fact in facts if fact not in str(caught.value)] == []
    assert chosen_stack(Project(set_up), False, {"TASKS": "mine"}) is None
    (set_up / ".env.dev").write_text("TASKS=mine\nADAPTML_TASKS_DIR=mine\n")
    assert chosen_stack(Project(set_up), None, {}) is not None


def test_a_stack_is_asked_for_in_a_clone(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"no docker-compose\.yml"):
        chosen_stack(Project(tmp_path), True, {})


def test_in_a_container_a_command_of_the_host_is_sent_there() -> None:
    refuse_in_container("adaptml run topic", {})
    with pytest.raises(SettingsError) as caught:
        refuse_in_container("adaptml run topic", {"STACK_SERVICE": "dp-mlflow"})
    assert str(caught.value) == (
        "`adaptml run topic` was typed in the container dp-mlflow; expected on the host, which calls the containers "
        "itself: type it there, in the folder with docker-compose.yml"
    )
